"""Shape of the configuration file: which table holds which settings of which option type.

A table holds the fields of one or two option types, without those that hold other option types
(they have tables of their own) and those that another table gives.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from functools import cache
from typing import Any, get_type_hints

from restante.auth.oauth2.options import OAuth2Options
from restante.auth.options import (
    AskingOptions,
    AuthOptions,
    CacheOptions,
    CommandOptions,
    HashOptions,
    SourceOptions,
    ThrottleOptions,
)
from restante.auth.sql.options import SqlOptions
from restante.config.meaning import meanings
from restante.server.options import (
    CertificateOptions,
    LimitOptions,
    ListenerOptions,
    OfferOptions,
    ServerOptions,
    TlsOptions,
)
from restante.stores.options import MailOptions


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: what it takes, what it is without being set."""

    key: str
    kind: Any
    field: "dataclasses.Field[Any]"

    @property
    def required(self) -> bool:
        """There is no value without setting one."""
        return self.field.default is MISSING and self.field.default_factory is MISSING

    @property
    def default(self) -> object:
        """The value where none is set; None where there has to be one."""
        if self.field.default_factory is not MISSING:
            return self.field.default_factory()
        return None if self.field.default is MISSING else self.field.default

    @property
    def default_in_words(self) -> str | None:
        """How to speak of a default that is another on each machine."""
        return self.field.metadata.get("default")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file, or a list of such tables."""

    name: str
    """Dotted, `tls.additional`; empty for the root."""
    meaning: str
    owners: tuple[type, ...]
    """The option types its settings are of."""
    given: frozenset[str] = frozenset()
    """Fields of theirs that other tables give."""
    repeated: bool = False
    tables: tuple["Table", ...] = ()

    @property
    def key(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    def settings(self) -> dict[str, Setting]:
        """Return the settings by their keys, in the order of the option types."""
        return _settings(self.owners, self.given)

    def subtable(self, key: str) -> "Table | None":
        """Return the table of that key, if there is one."""
        return next((table for table in self.tables if table.key == key), None)

    def walk(self) -> Iterator["Table"]:
        """Yield this table and all below it."""
        yield self
        for table in self.tables:
            yield from table.walk()


@cache
def _settings(owners: tuple[type, ...], given: frozenset[str]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for owner in owners:
        hints = get_type_hints(owner)
        for each in dataclasses.fields(owner):
            kind = hints[each.name]
            if each.name not in given and not _holds_options(kind):
                found[each.name] = Setting(each.name, kind, each)
    return found


def _holds_options(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) or any(
        dataclasses.is_dataclass(inner) for inner in getattr(kind, "__args__", ())
    )


def meaning_of(table: Table, setting: Setting) -> str:
    """Return the text that stands beside a setting's field."""
    for owner in table.owners:
        found = _meanings(owner)
        if setting.key in found:
            return found[setting.key]
    raise KeyError(setting.key)


_meanings = cache(meanings)

ROOT = Table(
    "",
    "The server as a whole.",
    (ServerOptions,),
    tables=(
        Table(
            "listener",
            "One address that is listened on; there is at least one.",
            (ListenerOptions,),
            repeated=True,
        ),
        Table(
            "tls",
            "Certificates, and what is negotiated with them.",
            (TlsOptions,),
            tables=(
                Table(
                    "tls.additional",
                    "One more certificate, chosen by the name a client asks for (SNI).",
                    (CertificateOptions,),
                    repeated=True,
                ),
            ),
        ),
        Table(
            "auth",
            "How a client proves who it is, and what else it is offered.",
            (AuthOptions, OfferOptions),
            given=frozenset({"state_directory"}),
            tables=(
                Table(
                    "auth.source",
                    "One source of accounts; the first that knows a name decides. Without any, the"
                    " accounts database alone.",
                    (SourceOptions,),
                    repeated=True,
                    tables=(
                        Table(
                            "auth.source.sql",
                            "Which database the source above asks, and what.",
                            (SqlOptions,),
                        ),
                        Table(
                            "auth.source.command",
                            "Which program is asked for the passwords of the source above.",
                            (CommandOptions,),
                        ),
                        Table(
                            "auth.source.asking",
                            "How long and how often the source above is asked, where it has to ask"
                            " somebody.",
                            (AskingOptions,),
                        ),
                        Table(
                            "auth.source.oauth2",
                            "Who issued the tokens of the source above, and which are good here.",
                            (OAuth2Options,),
                        ),
                    ),
                ),
                Table("auth.hashing", "How new passwords are hashed: argon2id.", (HashOptions,)),
                Table(
                    "auth.throttle",
                    "How failed logins slow down further ones.",
                    (ThrottleOptions,),
                ),
                Table("auth.cache", "The cache of passwords found right.", (CacheOptions,)),
            ),
        ),
        Table(
            "mail",
            "Where mail lies, and in which form.",
            (MailOptions,),
            given=frozenset({"default_domain", "state_directory"}),
        ),
        Table(
            "limits",
            "What one client, one network and all together may take.",
            (LimitOptions,),
        ),
    ),
)
