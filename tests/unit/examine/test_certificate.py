"""Certificates: what the suite reads of them, and what it does with those that are none."""

from __future__ import annotations

import contextlib
import datetime
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from restante.examine.bindings import end_point_hash
from restante.examine.certificate import CERTIFICATE_LIMIT, Certificate, dotted, read_certificate
from unit.examine.crooked_tls import RSA_SHA_1, RSA_SHA_256

Key = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)
Signed = hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
KEYS = {
    "rsa": (RSA_KEY, "RSA", 2048),
    "short-rsa": (rsa.generate_private_key(65537, 1024), "RSA", 1024),
    "p-256": (EC_KEY, "EC", 256),
    "p-384": (ec.generate_private_key(ec.SECP384R1()), "EC", 384),
    "p-521": (ec.generate_private_key(ec.SECP521R1()), "EC", 521),
    "brainpool": (ec.generate_private_key(ec.BrainpoolP256R1()), "EC", 256),
    "ed25519": (ed25519.Ed25519PrivateKey.generate(), "Ed25519", 255),
    "ed448": (ed448.Ed448PrivateKey.generate(), "Ed448", 448),
}


def issued(
    key: Key,
    signer: Key,
    algorithm: Signed | None = None,
    issuer: str = "authority",
    pss: Signed | None = None,
    mask: hashes.HashAlgorithm | None = None,
) -> bytes:
    """Return a certificate in DER."""
    named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (issuer, "server")]
    builder = x509.CertificateBuilder(
        named[0], named[1], key.public_key(), x509.random_serial_number(), NOW, NOW
    )
    algorithm = algorithm or pss or hashes.SHA256()
    if isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return builder.sign(signer, None).public_bytes(Encoding.DER)
    if pss is None:
        return builder.sign(signer, algorithm).public_bytes(Encoding.DER)
    pad = padding.PSS(padding.MGF1(mask or pss), padding.PSS.DIGEST_LENGTH)
    return builder.sign(signer, pss, rsa_padding=pad).public_bytes(Encoding.DER)


@pytest.mark.parametrize(("key", "kind", "bits"), KEYS.values(), ids=KEYS)
def test_kind_and_size_of_the_key_are_told(key: Key, kind: str, bits: int) -> None:
    found = read_certificate(issued(key, EC_KEY))
    assert (found.key_kind, found.key_bits) == (kind, bits)
    assert (found.signature_hash, found.self_issued) == ("sha256", False)


def test_an_authority_without_one_above_it_is_known() -> None:
    assert read_certificate(issued(EC_KEY, EC_KEY, issuer="server")).self_issued


@pytest.mark.parametrize("name", ["sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("signer", [RSA_KEY, EC_KEY], ids=["rsa", "ecdsa"])
def test_the_end_point_is_hashed_as_its_signature_is(signer: Key, name: str) -> None:
    algorithm: Signed = getattr(hashes, name.upper())()
    certificate = issued(EC_KEY, signer, algorithm)
    assert read_certificate(certificate).signature_hash == name
    assert end_point_hash(certificate) == digest(algorithm, certificate)


def digest(algorithm: hashes.HashAlgorithm, octets: bytes) -> bytes:
    found = hashes.Hash(algorithm)
    found.update(octets)
    return found.finalize()


def test_the_end_point_of_an_old_signature_is_hashed_with_sha_256() -> None:
    certificate = issued(RSA_KEY, RSA_KEY).replace(RSA_SHA_256, RSA_SHA_1)
    assert read_certificate(certificate).signature_hash == "sha1"
    assert end_point_hash(certificate) == digest(hashes.SHA256(), certificate)


def test_the_hash_of_pss_is_in_its_parameters() -> None:
    certificate = issued(RSA_KEY, RSA_KEY, pss=hashes.SHA384())
    assert read_certificate(certificate).signature_hash == "sha384"
    assert end_point_hash(certificate) == digest(hashes.SHA384(), certificate)


@pytest.mark.parametrize(
    "certificate",
    [
        issued(EC_KEY, ed25519.Ed25519PrivateKey.generate()),
        issued(EC_KEY, ed448.Ed448PrivateKey.generate()),
        issued(RSA_KEY, RSA_KEY, pss=hashes.SHA256(), mask=hashes.SHA384()),
    ],
    ids=["ed25519", "ed448", "two-hashes"],
)
def test_without_one_hash_function_there_is_no_end_point(certificate: bytes) -> None:
    assert read_certificate(certificate).signature_hash is None
    assert end_point_hash(certificate) is None


def tlv(tag: int, *content: bytes) -> bytes:
    """Return a value in DER, its length in the short form or in two octets."""
    octets = b"".join(content)
    size = len(octets)
    return bytes([tag]) + (bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2)) + octets


def made_up(key: bytes, algorithm: bytes = b"\x06\x01\x2a", version: bytes = b"") -> bytes:
    """Return a certificate with this SubjectPublicKeyInfo and signature algorithm."""
    signed = tlv(0x30, algorithm)
    inner = [version, tlv(2, b"\x01"), signed, tlv(0x30), tlv(0x30), tlv(0x30), key]
    return tlv(0x30, tlv(0x30, *inner), signed, tlv(3, b"\0"))


CURVE = tlv(6, bytes.fromhex("2a8648ce3d0201"))


@pytest.mark.parametrize(
    ("curve", "point", "bits"),
    [
        (tlv(6, b"\x2a\x03"), b"\x04" + bytes(40), 160),
        (tlv(6, b"\x2a\x03"), b"\x02" + bytes(20), 160),
        (tlv(6, b"\x2a\x03"), b"\x09" + bytes(40), None),
        (tlv(6, b"\x2a\x03"), b"", None),
        (tlv(0x30), b"\x04" + bytes(64), 256),
    ],
    ids=["by-point", "compressed", "unknown-form", "no-point", "explicit"],
)
def test_a_curve_without_a_known_name_is_as_long_as_its_points(
    curve: bytes, point: bytes, bits: int | None
) -> None:
    key = tlv(0x30, tlv(0x30, CURVE, curve), tlv(3, b"\0" + point))
    assert read_certificate(made_up(key)).key_bits == bits


def test_what_is_not_known_is_told_as_it_is_called() -> None:
    key = tlv(0x30, tlv(0x30, tlv(6, b"\x2a\x03")), tlv(3, b"\0"))
    assert read_certificate(made_up(key)) == Certificate("1.2.3", None, "1.2", None, True)


PSS = tlv(6, bytes.fromhex("2a864886f70d01010a"))


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        (tlv(0x30), "sha1"),
        (tlv(0x30, tlv(0xA0, tlv(0x30, tlv(6, b"\x2a\x03")))), None),
        (tlv(0x30, tlv(0xA1, tlv(0x30, tlv(6, b"\x2a\x03")))), None),
    ],
    ids=["by-default", "unknown-hash", "unknown-mask"],
)
def test_parameters_of_pss_may_be_left_out_or_strange(parameters: bytes, name: str | None) -> None:
    key = tlv(0x30, tlv(0x30, tlv(6, b"\x2a\x03")), tlv(3, b"\0"))
    assert read_certificate(made_up(key, PSS + parameters)).signature_hash == name


@pytest.mark.parametrize(
    ("octets", "numbers"),
    [
        (b"\x2a\x03", "1.2.3"),
        (b"\x2b\x0e\x03\x02\x1a", "1.3.14.3.2.26"),
        (b"\x88\x37\x03", "2.999.3"),
    ],
)
def test_object_identifiers_read_as_they_are_written(octets: bytes, numbers: str) -> None:
    assert dotted(octets) == numbers


@pytest.mark.parametrize("octets", [b"", b"\x80", bytes(33)], ids=["none", "unended", "long"])
def test_a_malformed_object_identifier_is_an_error(octets: bytes) -> None:
    with pytest.raises(ValueError, match="object identifier"):
        dotted(octets)


GOOD = issued(RSA_KEY, EC_KEY)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30",
        b"\x31\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01\x00",
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x30\x84\x00\x00\x00\x05" + bytes(5),
        b"\x30\x82\x01",
        b"\x30\x05\x30\x7f",
        GOOD + bytes(CERTIFICATE_LIMIT),
    ],
    ids=[
        *("nothing", "no-length", "no-sequence", "indefinite", "not-shortest", "zero-first"),
        *("four-octets", "cut-length", "longer-than-what-holds-it", "too-long"),
    ],
)
def test_what_is_no_certificate_is_an_error(octets: bytes) -> None:
    with pytest.raises(ValueError, match="certificate"):
        read_certificate(octets)


def test_no_part_of_a_certificate_passes_for_one() -> None:
    for end in range(len(GOOD)):
        with pytest.raises(ValueError, match="certificate"):
            read_certificate(GOOD[:end])


def test_whatever_is_altered_is_read_or_refused() -> None:
    chance = random.Random(5929)
    for _ in range(3000):
        octets = bytearray(GOOD)
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        with contextlib.suppress(ValueError):
            assert read_certificate(bytes(octets)).key_kind
