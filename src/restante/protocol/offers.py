"""What a session may offer, and the capabilities that announce it (RFC 2449 §5)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from restante.protocol.lines import SASL_OCTETS
from restante.protocol.replies import status_line


@dataclass(frozen=True, slots=True)
class Offer:
    """What this connection may use now; it changes with TLS."""

    user: bool = True
    """USER and PASS."""
    apop: bool = False
    """APOP; it has no capability, the timestamp in the greeting tells of it (RFC 2449 §6)."""
    mechanisms: tuple[str, ...] = ("PLAIN",)
    """Of AUTH, the preferred first."""
    stls: bool = False
    only_under_tls: frozenset[str] = frozenset()
    """Mechanisms, and USER, that this connection would have under TLS."""
    sasl_octets: int = SASL_OCTETS
    """The longest line of an exchange."""
    utf8: bool = False
    """UTF8 (RFC 6856 §2)."""
    utf8_names: bool = False
    """Names and passwords beyond ASCII in USER, PASS and APOP, said by USER beside UTF8."""
    ascii_headers: bool = False
    """A message whose header is not in ASCII is refused to whoever has not said UTF8."""
    languages: tuple[str, ...] = ()
    """Tags for LANG (RFC 6856 §3), the site's own first; empty: there is no choice."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What is the same for every session of a server."""

    greeting: str = "POP3 server ready"
    implementation: str = "Restante"
    """One token; empty: not told (RFC 2449 §6.9)."""
    strict_line_ends: bool = False
    """A bare LF is an error."""
    bad_commands_before_login: int = 10
    bad_commands_in_a_row: int = 50
    greeting_line: bytes = field(init=False, repr=False, compare=False)
    """The greeting as it goes out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "greeting_line", status_line(True, self.greeting))


def capabilities(offer: Offer, options: SessionOptions) -> Iterator[bytes]:
    """Yield the lines of the reply to CAPA.

    RFC 2449 §5: what was announced in AUTHORIZATION stays announced in TRANSACTION, so the offer
    of the moment of login is kept. RFC 2595 §4 makes STLS the exception: it is announced only
    where it is permitted.
    """
    yield b"TOP\r\n"
    yield b"UIDL\r\n"
    if offer.user:
        yield b"USER\r\n"
    if offer.mechanisms:
        yield f"SASL {' '.join(offer.mechanisms)}\r\n".encode("ascii")
    yield b"RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n"
    if offer.stls:
        yield b"STLS\r\n"
    if offer.utf8:
        yield b"UTF8 USER\r\n" if offer.utf8_names else b"UTF8\r\n"
    if offer.languages:
        yield b"LANG\r\n"
    if options.implementation:
        yield f"IMPLEMENTATION {options.implementation}\r\n".encode("ascii")
