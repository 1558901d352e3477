"""CRAM-MD5: a keyed digest over a challenge of the server (RFC 2195)."""

import hmac

from restante.identity import DigestCredentials
from restante.sasl.client_mechanism import usable_name, usable_password
from restante.sasl.fields import read_name
from restante.sasl.md5 import hex_digest, hmac_md5
from restante.sasl.mechanism import Challenge, Channel, MechanismError, Step
from restante.secret import Secret

CHALLENGE_OCTETS = 4096
"""More than any server sends."""


def cram_md5_digest(challenge: bytes, secret: bytes) -> bytes:
    """Return the digest, 16 octets."""
    return hmac_md5(secret, challenge)


def check_cram_md5(challenge: bytes, secret: bytes, digest: bytes) -> bool:
    """Tell whether 16 octets are the digest, in constant time."""
    return hmac.compare_digest(cram_md5_digest(challenge, secret), digest)


class CramMd5Server:
    """The server's side of one CRAM-MD5 exchange."""

    name = "CRAM-MD5"

    def __init__(self, channel: Channel) -> None:
        self._challenge = _challenge(channel)

    def start(self, initial_response: bytes | None) -> Step:
        """Send the challenge.

        RFC 5034 §4: where the server begins there is no initial response.
        """
        if initial_response is not None:
            raise MechanismError("CRAM-MD5 takes no initial response")
        return Challenge(self._challenge)

    def respond(self, response: bytes) -> DigestCredentials:
        """Take name and digest, which the last space parts: there may be more in the name."""
        octets, _, text = response.rpartition(b" ")
        name, digest = read_name(octets), hex_digest(text)
        if not name or digest is None:
            raise MechanismError("a CRAM-MD5 response is a name and a digest")
        return DigestCredentials(name, self._challenge, Secret(digest), self.name)


def _challenge(channel: Channel) -> bytes:
    """Return a msg-id that nobody has seen (RFC 2195 §2).

    The clock that the RFC puts into it would only make it new, and the random octets do.
    """
    octets = channel.fresh()
    middle = len(octets) // 2
    first, second = (int.from_bytes(half, "big") for half in (octets[:middle], octets[middle:]))
    return b"<%d.%d@%s>" % (first, second, channel.hostname.encode("ascii", "replace"))


class CramMd5Client:
    """The client's side of one CRAM-MD5 exchange."""

    name = "CRAM-MD5"
    failure = ""

    def __init__(self, user: str, password: Secret) -> None:
        self._user, self._password = usable_name(user), usable_password(password)
        self._answered = False

    def first_message(self) -> None:
        """Leave the beginning to the server."""

    def step(self, challenge: bytes) -> bytes:
        """Answer the challenge, whatever form it has: the digest is safe with any."""
        if self._answered or not 0 < len(challenge) <= CHALLENGE_OCTETS:
            raise MechanismError("CRAM-MD5 has one challenge, which is not empty")
        self._answered = True
        digest = cram_md5_digest(challenge, self._password).hex()
        return self._user + b" " + digest.encode("ascii")

    @property
    def verified(self) -> bool:
        """The challenge was answered; nothing proves the server but TLS."""
        return self._answered
