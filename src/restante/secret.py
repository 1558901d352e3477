"""Secret: octets that never print themselves.

Whatever shows an object by accident (repr, a format string, a log field, a traceback that prints
arguments, pickle) shows a placeholder or fails. `reveal` is the one way to the octets, so that a
search for it finds every place that handles them.
"""

import hmac
from typing import NoReturn


class Secret:
    """Octets of a password, token or key."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def reveal(self) -> bytes:
        """Return the octets."""
        return self._octets

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._octets, other._octets)

    # A hash would let a secret become a key of a dict, and with it an oracle for its value.
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self._octets)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret does not leave its process by pickle")
