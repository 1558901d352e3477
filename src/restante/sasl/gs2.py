"""The GS2 header: a channel binding flag and whom to act as (RFC 5801 §4).

SCRAM and OAUTHBEARER begin with it; neither has the flag of mechanisms outside the standard.
"""

import re
from typing import NamedTuple

from restante.sasl.fields import NAME_OCTETS, read_name
from restante.sasl.mechanism import MechanismError

_BINDING = re.compile(rb"p=([A-Za-z0-9.-]{1,64})")
_ESCAPES = re.compile(rb"(?:[^=,]|=2C|=3D)+", re.DOTALL)


class Gs2Header(NamedTuple):
    """What stands before the message of the mechanism itself."""

    flag: str
    """`n`: no channel binding; `y`: the client believes the server has none; `p`: one is used."""
    binding: str = ""
    """The type of channel binding, with flag `p` alone."""
    authorization_name: str = ""

    def encode(self) -> bytes:
        """Return the octets that stand for it."""
        flag = f"p={self.binding}" if self.flag == "p" else self.flag
        name = escape(self.authorization_name)
        return flag.encode("ascii") + (b",a=" + name if name else b",") + b","


def split_header(message: bytes) -> tuple[bytes, bytes]:
    """Return the octets of the header, with its last comma, and those of the message behind it.

    Raises:
        MechanismError: there is no header.
    """
    parts = message.split(b",", 2)
    if len(parts) != 3:
        raise MechanismError("the message has no GS2 header")
    return message[: len(message) - len(parts[2])], parts[2]


def parse_header(octets: bytes) -> Gs2Header:
    """Return what a header says.

    RFC 5802 §5: a first message that begins with anything but `n`, `y` or `p` fails.

    Raises:
        MechanismError: it is none.
    """
    flag, authorization, _ = octets.split(b",", 2)
    bound = _BINDING.fullmatch(flag)
    if bound is None and flag not in (b"n", b"y"):
        raise MechanismError("the channel binding flag is n, y or p with a type")
    return Gs2Header(
        flag=flag[:1].decode("ascii"),
        binding=bound[1].decode("ascii") if bound else "",
        authorization_name=_authorization_name(authorization),
    )


def _authorization_name(attribute: bytes) -> str:
    if not attribute:
        return ""
    name = unescape(attribute[2:]) if attribute.startswith(b"a=") else None
    if name is None:
        raise MechanismError("the authorization identity is malformed")
    return name


def escape(name: str) -> bytes:
    """Return a name as it stands in a message (RFC 5802 §5.1)."""
    return name.replace("=", "=3D").replace(",", "=2C").encode("utf-8")


def unescape(octets: bytes) -> str | None:
    """Return the name that stands in a message so; None: it is none.

    RFC 5802 §5.1: `=` is followed by `2C` or `3D`, or the exchange fails.
    """
    if len(octets) > 3 * NAME_OCTETS or not _ESCAPES.fullmatch(octets):
        return None
    return read_name(octets.replace(b"=2C", b",").replace(b"=3D", b"="))
