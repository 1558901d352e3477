"""Verifiers of SCRAM as text: Dovecot's form, and nothing that is none."""

import subprocess
from base64 import b64decode, b64encode

import pytest

from restante.auth import hashes
from restante.auth.scram_verifiers import (
    SALT_OCTETS,
    is_password,
    make,
    read,
    read_all,
    stand_in_salt,
)
from restante.sasl.saslprep import prepare_password
from restante.sasl.scram import SCRAM_DIGESTS, derive
from restante.secret import Secret

from conftest import require

FAMILIES = sorted(SCRAM_DIGESTS)
# RFC 7677 §3: the password of the example is "pencil".
SALT = "W22ZaJ0SNY7soEsUEjb6gQ=="
KEYS = derive("SCRAM-SHA-256", b"pencil", b64decode(SALT), 4_096)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_made_is_read(family: str) -> None:
    """conformance: 5802-S-07"""
    texts = [make(family, b"secret", 4_096) for _ in range(2)]
    assert texts[0] != texts[1]
    for text in texts:
        verifier = read(family, text.removeprefix(f"{{{family}}}"))
        assert (verifier.iterations, len(verifier.salt)) == (4_096, SALT_OCTETS)
        assert verifier.keys == derive(family, b"secret", verifier.salt, 4_096)
        assert "secret" not in repr(verifier)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_password_is_compared_with_it(family: str) -> None:
    stored = make(family, b"secret", 4_096)
    assert hashes.verify(stored, b"secret")
    for wrong in (b"Secret", b"", b"secret\0", b"secre"):
        assert not hashes.verify(stored, wrong)
    assert not is_password(family, stored.partition("}")[2], b"secret\0")


def test_a_password_is_prepared_first() -> None:
    stored = make("SCRAM-SHA-256", prepare_password("Ⅸ".encode()), 4_096)
    assert hashes.verify(stored, b"IX")
    assert hashes.verify(stored, "Ⅸ".encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4096",
        "4096,abc",
        "4096,,,",
        "x,{salt},{stored},{server}",
        "+4096,{salt},{stored},{server}",
        "٤٠٩٦,{salt},{stored},{server}",
        "0,{salt},{stored},{server}",
        "10000001,{salt},{stored},{server}",
        "9" * 100_000 + ",{salt},{stored},{server}",
        "4096,,{stored},{server}",
        "4096,{long},{stored},{server}",
        "4096,{salt},{salt},{server}",
        "4096,{salt},{stored},{salt}",
        "4096,{salt},{stored}",
        "4096,{salt},{stored},{server},{server}",
        "4096,{salt},{stored},{server}\n",
        "4096,{salt},{stored},kanarienvogel",
    ],
)
def test_what_is_none_is_told_without_it(text: str) -> None:
    encode = b64encode
    text = text.format(
        salt=SALT,
        stored=encode(KEYS.stored_key).decode(),
        server=encode(KEYS.server_key).decode(),
        long=encode(bytes(65)).decode(),
    )
    with pytest.raises(ValueError):
        read("SCRAM-SHA-256", text)
    with pytest.raises(hashes.UnusableHash, match="scheme SCRAM-SHA-256 is malformed") as caught:
        hashes.verify("{SCRAM-SHA-256}" + text, b"pencil")
    assert caught.value.__context__ is None


@pytest.mark.parametrize("family", FAMILIES)
def test_dovecot_reads_ours_and_we_read_its(family: str) -> None:
    require("doveadm")

    def doveadm(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["doveadm", "pw", *arguments], capture_output=True, text=True, check=False, timeout=30
        )

    assert hashes.verify(doveadm("-s", family, "-p", "pencil").stdout.strip(), b"pencil")
    ours = make(family, b"pencil", 5_000)
    assert doveadm("-t", ours, "-p", "pencil").returncode == 0
    assert doveadm("-t", ours, "-p", "pencils").returncode != 0


def test_a_stand_in_is_always_the_same_and_each_its_own() -> None:
    """conformance: 5802-S-14"""
    key = Secret(b"k" * 32)
    salts = {
        (name, family): stand_in_salt(key, name, family)
        for name in ("bob", "alice", "?\ud800")
        for family in FAMILIES
    }
    assert len(set(salts.values())) == len(salts)
    assert {len(salt) for salt in salts.values()} == {SALT_OCTETS}
    assert salts["bob", FAMILIES[0]] == stand_in_salt(key, "bob", FAMILIES[0])
    assert salts["bob", FAMILIES[0]] != stand_in_salt(Secret(b"l" * 32), "bob", FAMILIES[0])
    assert len(stand_in_salt(key, "bob", FAMILIES[0], 8)) == 8


def test_a_salt_may_serve_another_password() -> None:
    first = make("SCRAM-SHA-256", b"one", 4_096)
    ((name, verifier),) = read_all(first)
    second = make(name, b"two", verifier.iterations, verifier.salt)
    ((_, other),) = read_all(second)
    assert (other.salt, other.iterations) == (verifier.salt, verifier.iterations)
    assert other.keys != verifier.keys


def test_what_is_no_verifier_is_left_out() -> None:
    good = [make(each, b"one", 4_096) for each in ("SCRAM-SHA-1", "SCRAM-SHA-256")]
    bad = ["", "{SCRAM-SHA-256}4096,x", "{SCRAM-SHA-512}4096,YQ==,YQ==,YQ==", "4096,YQ==", "{"]
    found = read_all(" ".join([*bad, good[0], *bad, good[1]]))
    assert [name for name, _ in found] == ["SCRAM-SHA-1", "SCRAM-SHA-256"]
