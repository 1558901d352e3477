"""Which command is legal in which state: the one table, RFC 1939, RFC 2595 §4, RFC 6856.

The state diagram of the documentation is generated from it. AUTHORIZATION has three rows: `NAMED`
is what it becomes between a successful USER and its PASS, `EXCHANGE` what it is while a SASL
exchange runs, where every line is data and none a command (RFC 5034 §4). There is no row for
UPDATE: it begins with QUIT and reads nothing more.
"""

from enum import StrEnum

from restante.protocol.commands import Verb


class Phase(StrEnum):
    """A state of the session as far as it decides which commands are legal."""

    AUTHORIZATION = "AUTHORIZATION"
    NAMED = "AUTHORIZATION, user named"
    EXCHANGE = "AUTHORIZATION, SASL exchange"
    TRANSACTION = "TRANSACTION"


_BEFORE = frozenset({Phase.AUTHORIZATION, Phase.NAMED})
_WITHIN = frozenset({Phase.TRANSACTION})

LEGAL: dict[Verb, frozenset[Phase]] = {
    Verb.CAPA: _BEFORE | _WITHIN,
    Verb.QUIT: _BEFORE | _WITHIN,
    Verb.USER: _BEFORE,
    Verb.AUTH: _BEFORE,
    Verb.STLS: _BEFORE,
    # RFC 6856 §2 and §3.1.
    Verb.UTF8: _BEFORE,
    Verb.LANG: _BEFORE | _WITHIN,
    # RFC 1939 §7 (PASS): legal immediately after a successful USER only.
    Verb.PASS: frozenset({Phase.NAMED}),
    # RFC 1939 §7 (APOP): after the greeting or an unsuccessful USER or PASS, never between the two.
    Verb.APOP: frozenset({Phase.AUTHORIZATION}),
    Verb.STAT: _WITHIN,
    Verb.LIST: _WITHIN,
    Verb.RETR: _WITHIN,
    Verb.DELE: _WITHIN,
    Verb.NOOP: _WITHIN,
    Verb.RSET: _WITHIN,
    Verb.TOP: _WITHIN,
    Verb.UIDL: _WITHIN,
}

KEEPS_NAME = frozenset({Verb.CAPA, Verb.PASS, Verb.USER})
"""Commands that leave a name given by USER standing; every other line forgets it.

Departs from RFC 1939 §7: the letter of "immediately after" would forget it at CAPA too, which
every client that asks in between has learnt not to fear.
"""
