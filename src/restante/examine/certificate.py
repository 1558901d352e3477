"""What a certificate says of its key and its signature, read out of its DER.

Python's ssl tells neither, and the suite has the standard library alone. A hostile server may send
anything for a certificate: every length is checked against what is there, nothing recurses, and
what is not understood is a ValueError.
"""

from __future__ import annotations

from dataclasses import dataclass

CERTIFICATE_LIMIT = 1 << 16
_INTEGER, _BIT_STRING, _OBJECT, _SEQUENCE = 0x02, 0x03, 0x06, 0x30
_VERSION = _FIRST = 0xA0
_SECOND = 0xA1
_LONGEST_OBJECT = 32
_SHORTEST_LONG_FORM = 0x80

HASHES = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
SIGNATURES = {
    "1.2.840.113549.1.1.4": "md5",
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.10040.4.3": "sha1",
    "2.16.840.1.101.3.4.3.1": "sha224",
    "2.16.840.1.101.3.4.3.2": "sha256",
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
"""The hash function of each kind of signature, by hashlib's name."""

HASH_BY_DEFAULT = "sha1"
"""Of RSASSA-PSS, where its parameters name none."""
RSA_PSS = "1.2.840.113549.1.1.10"
MASK_1 = "1.2.840.113549.1.1.8"
HASHLESS = {"1.3.101.112": "Ed25519", "1.3.101.113": "Ed448"}
"""Signatures that leave no choice of a hash function."""

KEYS = {
    "1.2.840.113549.1.1.1": "RSA",
    RSA_PSS: "RSA",
    "1.2.840.10045.2.1": "EC",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
CURVES = {
    "1.2.840.10045.3.1.1": 192,
    "1.3.132.0.33": 224,
    "1.2.840.10045.3.1.7": 256,
    "1.3.132.0.10": 256,
    "1.3.132.0.34": 384,
    "1.3.132.0.35": 521,
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What RFC 9325 §4.5 and RFC 5929 §4.1 ask about.

    `key_bits` is None for a kind of key that is not known, and `signature_hash` where the
    signature has no hash function, several, or one that is not known. `self_issued` is the
    certificate of an authority that nobody stands above, whose signature shows nothing.
    """

    key_kind: str
    key_bits: int | None
    signature: str
    signature_hash: str | None
    self_issued: bool


class _Reader:
    """The values that stand side by side in one constructed value."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def next_is(self, tag: int) -> bool:
        """Tell whether another value follows, and it has this tag."""
        return self._octets[self._at : self._at + 1] == bytes([tag])

    def take(self, tag: int) -> bytes:
        """Return the content of the next value, which has to have this tag."""
        if not self.next_is(tag):
            raise ValueError(f"a value with tag {tag:#04x} is due in a certificate")
        size, start = self._size(self._at + 1)
        content = self._octets[start : start + size]
        if len(content) < size:
            raise ValueError("a value in a certificate ends behind what holds it")
        self._at = start + size
        return content

    def sequence(self) -> _Reader:
        """Return the values of the next value, a SEQUENCE."""
        return _Reader(self.take(_SEQUENCE))

    def inside(self, tag: int) -> _Reader:
        """Return the values of the next value, whatever it is for."""
        return _Reader(self.take(tag))

    def object_id(self) -> str:
        """Return the next value, an OBJECT IDENTIFIER, in dotted form."""
        return dotted(self.take(_OBJECT))

    def _size(self, at: int) -> tuple[int, int]:
        """Return how long the content is that is told of here, and where it begins."""
        octets = self._octets[at : at + 4]
        if not octets:
            raise ValueError("a value in a certificate has no length")
        if (first := octets[0]) < _SHORTEST_LONG_FORM:
            return first, at + 1
        width = first - _SHORTEST_LONG_FORM
        digits = octets[1 : 1 + width]
        if width not in (1, 2, 3) or len(digits) < width:
            raise ValueError("a value in a certificate has no length that could be")
        size = int.from_bytes(digits)
        if digits[0] == 0 or size < _SHORTEST_LONG_FORM:
            raise ValueError("a length in a certificate is not in its shortest form")
        return size, at + 1 + width


def dotted(octets: bytes) -> str:
    """Return an OBJECT IDENTIFIER as its numbers."""
    if not octets or len(octets) > _LONGEST_OBJECT or octets[-1] & 0x80:
        raise ValueError("an object identifier in a certificate is malformed")
    numbers = []
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def read_certificate(octets: bytes) -> Certificate:
    """Read a certificate (RFC 5280 §4.1), raising ValueError where it is none."""
    if len(octets) > CERTIFICATE_LIMIT:
        raise ValueError(f"a certificate of {len(octets)} octets")
    outer = _Reader(octets).sequence()
    inner = outer.sequence()
    signature, signature_hash = _signature(outer.sequence())
    if inner.next_is(_VERSION):
        inner.take(_VERSION)
    inner.take(_INTEGER)
    inner.take(_SEQUENCE)
    issuer = inner.take(_SEQUENCE)
    inner.take(_SEQUENCE)
    subject = inner.take(_SEQUENCE)
    kind, bits = _key(inner.sequence())
    return Certificate(kind, bits, signature, signature_hash, issuer == subject)


def _signature(algorithm: _Reader) -> tuple[str, str | None]:
    """Return what a signature is called, and its one hash function if it has one."""
    name = algorithm.object_id()
    if name == RSA_PSS:
        return name, _hash_of_pss(algorithm)
    return HASHLESS.get(name, name), SIGNATURES.get(name)


def _hash_of_pss(algorithm: _Reader) -> str | None:
    """Return the hash function of RSASSA-PSS where its mask is made with the same (RFC 4055)."""
    parameters = algorithm.sequence()
    signed: str | None = HASH_BY_DEFAULT
    masked: str | None = HASH_BY_DEFAULT
    if parameters.next_is(_FIRST):
        signed = _named_hash(parameters.inside(_FIRST))
    if parameters.next_is(_SECOND):
        mask = parameters.inside(_SECOND).sequence()
        masked = _named_hash(mask) if mask.object_id() == MASK_1 else None
    return signed if signed == masked else None


def _named_hash(reader: _Reader) -> str | None:
    return HASHES.get(reader.sequence().object_id())


def _key(information: _Reader) -> tuple[str, int | None]:
    """Return the kind of a SubjectPublicKeyInfo, and how many bits its key has."""
    algorithm = information.sequence()
    name = algorithm.object_id()
    kind = KEYS.get(name, name)
    key = information.take(_BIT_STRING)[1:]
    if kind == "RSA":
        modulus = _Reader(key).sequence().take(_INTEGER)
        return kind, int.from_bytes(modulus).bit_length()
    if kind == "EC":
        return kind, _curve_bits(algorithm, key)
    return kind, {"Ed25519": 255, "Ed448": 448}.get(kind)


def _curve_bits(algorithm: _Reader, point: bytes) -> int | None:
    """Return the size of a curve, by its name or by a point on it (SEC 1 §2.3.3)."""
    named = CURVES.get(algorithm.object_id()) if algorithm.next_is(_OBJECT) else None
    if named is not None or not point:
        return named
    coordinates = {2: 1, 3: 1, 4: 2}.get(point[0])
    return None if coordinates is None else (len(point) - 1) // coordinates * 8
