"""What a certificate has to be, and which one is shown."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from restante.errors import ConfigurationError
from restante.server.certificates import Certificates
from restante.server.options import CertificateOptions, TlsOptions

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def written(
    folder: Path, key: Key, *, name: str = "one", passphrase: bytes | None = None
) -> tuple[Path, Path]:
    """Write a certificate and its key, and return their paths."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    paths = folder / f"{name}.pem", folder / f"{name}-key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )
    return paths


def refusal(certificate: Path, private_key: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Certificates(TlsOptions(certificate=certificate, private_key=private_key))
    return str(caught.value)


def test_weak_keys_are_refused(tmp_path: Path) -> None:
    """conformance: 9325-S-10"""
    short = rsa.generate_private_key(public_exponent=65_537, key_size=1024)
    assert refusal(*written(tmp_path, short)) == (
        "tls.certificate: an RSA key needs at least 2048 bits"
    )
    small = ec.generate_private_key(ec.SECP192R1())
    assert refusal(*written(tmp_path, small)) == (
        "tls.certificate: the curve of the key needs at least 224 bits"
    )


def test_strong_keys_are_taken(tmp_path: Path) -> None:
    keys: tuple[Key, ...] = (
        rsa.generate_private_key(public_exponent=65_537, key_size=2048),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
    )
    for number, key in enumerate(keys):
        certificate, private_key = written(tmp_path, key, name=str(number))
        Certificates(TlsOptions(certificate=certificate, private_key=private_key))


def test_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    certificate, private_key = written(tmp_path, key)
    _, others_key = written(tmp_path, other, name="other")
    assert refusal(certificate, others_key).endswith("do not belong together")
    _, locked = written(tmp_path, key, name="locked", passphrase=b"a passphrase")
    assert refusal(certificate, locked).endswith("cannot be loaded")
    certificate.write_text("no certificate\n")
    assert refusal(certificate, private_key).endswith("this is not a certificate in PEM")
    assert "No such file" in refusal(tmp_path / "nowhere.pem", private_key)


def test_a_name_chooses_its_certificate(tmp_path: Path) -> None:
    """conformance: 9325-S-06"""
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = written(tmp_path, key), written(tmp_path, key, name="two")
    certificates = Certificates(
        TlsOptions(
            certificate=first[0],
            private_key=first[1],
            additional=(
                CertificateOptions(
                    names=("pop.example.net", "*.example.com"),
                    certificate=second[0],
                    private_key=second[1],
                ),
            ),
        )
    )
    other = certificates.choose("pop.example.net")
    assert other is not certificates.default
    for name in ("POP.Example.Net.", "mail.example.com"):
        assert certificates.choose(name) is other
    for unknown in (None, "example.com", "a.b.example.com", "pop.example.org"):
        assert certificates.choose(unknown) is certificates.default
