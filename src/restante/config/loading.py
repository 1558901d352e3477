"""Loading: from a file to a configuration, or to everything that is wrong with it."""

import re
import tomllib
from pathlib import Path
from typing import Any

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
from restante.config import checks
from restante.config.configuration import Configuration
from restante.config.findings import Findings
from restante.config.positions import Positions
from restante.config.reading import Reader, Values
from restante.config.shape import ROOT
from restante.errors import ConfigurationError
from restante.server.options import (
    CertificateOptions,
    LimitOptions,
    ListenerOptions,
    OfferOptions,
    ServerOptions,
    TlsOptions,
)
from restante.stores.options import MailOptions

DEFAULT_FILE = Path("/etc/restante/restante.toml")
_SOURCE_TABLES: dict[str, type[Any]] = {
    "sql": SqlOptions,
    "command": CommandOptions,
    "asking": AskingOptions,
    "oauth2": OAuth2Options,
}
DEFAULT_STATE_DIRECTORY = ServerOptions(listeners=()).state_directory


def load(file: Path) -> Configuration:
    """Read a configuration.

    Raises:
        ConfigurationError: it cannot be honoured; a line for everything found.
    """
    return parse(read_text(file), file)


def parse(text: str, file: Path) -> Configuration:
    """Make a configuration of a text that stands in `file`; relative paths count from its folder.

    Raises:
        ConfigurationError: it cannot be honoured; a line for everything found.
    """
    document = read_document(text, file)
    positions = Positions(text)
    findings = Findings(file, positions)
    folder = file.absolute().parent
    reader = Reader(findings, folder)
    configuration = _assemble(reader, reader.read(ROOT, document), file, positions)
    if configuration is not None:
        # What could not be read is replaced by its default here, so that the rest can be checked.
        checks.check(configuration, findings)
    findings.raise_any()
    assert configuration is not None
    return configuration


def _assemble(
    reader: Reader, root: Values, file: Path, positions: Positions
) -> Configuration | None:
    """Make the option types; what is wrong with them is found on the way."""
    tls, auth = root.tables.get("tls"), root.tables.get("auth")
    mail, inner = root.tables.get("mail"), (auth.tables if auth else {})
    server_options = reader.make(
        ServerOptions,
        root,
        listeners=reader.make_all(ListenerOptions, root.lists.get("listener", [])),
        tls=reader.make(
            TlsOptions,
            tls,
            additional=reader.make_all(
                CertificateOptions, tls.lists.get("additional", []) if tls else []
            ),
        )
        or TlsOptions(),
        limits=reader.make(LimitOptions, root.tables.get("limits")) or LimitOptions(),
        offers=reader.make(OfferOptions, auth) or OfferOptions(),
    )
    state_directory = server_options.state_directory if server_options else DEFAULT_STATE_DIRECTORY
    sources = auth.lists.get("source") if auth else None
    auth_options = reader.make(
        AuthOptions,
        auth,
        state_directory=state_directory,
        sources=(SourceOptions(),) if sources is None else _sources(reader, sources),
        hashing=reader.make(HashOptions, inner.get("hashing")),
        throttle=reader.make(ThrottleOptions, inner.get("throttle")),
        cache=reader.make(CacheOptions, inner.get("cache")),
    )
    if mail is not None and "path" in mail.settings:
        mail.settings["path"] = str(file.absolute().parent / mail.settings["path"])
    mail_options = reader.make(
        MailOptions,
        mail,
        state_directory=state_directory,
        default_domain=auth_options.default_domain if auth_options else "",
    )
    if server_options is None or auth_options is None or mail_options is None:
        return None
    return Configuration(
        file=file,
        server=server_options,
        auth=auth_options,
        mail=mail_options,
        positions=positions,
    )


def _sources(reader: Reader, tables: list[Values]) -> tuple[SourceOptions, ...]:
    made = [_source(reader, each) for each in tables]
    return tuple(each for each in made if each is not None)


def _source(reader: Reader, table: Values) -> SourceOptions | None:
    inner = {
        key: reader.make(owner, table.tables[key])
        for key, owner in _SOURCE_TABLES.items()
        if key in table.tables
    }
    if None in inner.values():
        return None  # why, has been said
    return reader.make(SourceOptions, table, **inner)


def load_state_directory(file: Path) -> Path:
    """Return where the server of a configuration has its control socket, and read nothing else.

    A running server can be commanded even while its file is being changed and full of mistakes.

    Raises:
        ConfigurationError: the file cannot be read, or does not say it.
    """
    text = read_text(file)
    document = read_document(text, file)
    value = document.get("state_directory", str(DEFAULT_STATE_DIRECTORY))
    if not isinstance(value, str):
        parse(text, file)
    return file.absolute().parent / str(value)


def read_text(file: Path) -> str:
    """Return the text of a file.

    Raises:
        ConfigurationError: it cannot be read, or is no text.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{file}:{line}: this is not UTF-8") from error


def read_document(text: str, file: Path) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Raises:
        ConfigurationError: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigurationError(f"{file}: lists or tables are nested too deeply") from None
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise ConfigurationError(_syntax_error(str(error), text, file)) from error


def _syntax_error(message: str, text: str, file: Path) -> str:
    """Return the parser's words with the line where our lines have theirs."""
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if place is None:
        return f"{file}: this is not TOML: {message}"
    line = place[1] or text.count("\n") + 1
    return f"{file}:{line}: this is not TOML: {message[: place.start()]}"
