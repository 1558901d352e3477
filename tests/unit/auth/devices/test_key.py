"""The key of the devices: made once, told apart from others, and tied to who it is used for."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from restante.auth.devices import words
from restante.auth.devices.key import DeviceKey, KeyFile, Place, UnusableSeal
from restante.auth.key_file import UnusableKey
from restante.secret import Secret

KEY = Secret(bytes(range(32)))
PLACE = Place("bob", "laptop", 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "devices.key"


def test_it_is_made_once_and_for_nobody_else(path: Path) -> None:
    key = KeyFile(path).make()
    written = path.read_bytes()
    assert KeyFile(path).make().mark == key.mark
    assert KeyFile(path).read().mark == key.mark
    assert path.read_bytes() == written
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == [path.name]


def test_of_many_who_make_it_at_once_all_have_the_same(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        marks = set(pool.map(lambda _: KeyFile(path).make().mark, range(32)))
    assert len(marks) == 1
    assert os.listdir(path.parent) == [path.name]


def test_a_lost_one_is_told_at_once(path: Path) -> None:
    file = KeyFile(path)
    file.make()
    path.unlink()
    with pytest.raises(UnusableKey, match="is gone"):
        file.read()


def test_another_one_in_its_place_counts(path: Path) -> None:
    file = KeyFile(path)
    mark = file.make().mark
    path.rename(path.with_name("old"))
    KeyFile(path).make()
    assert file.read().mark != mark
    path.with_name("old").replace(path)
    assert file.read().mark == mark


@pytest.mark.parametrize(
    "text",
    [b"", b"ab" * 32, b"ab" * 31 + b"\n", b"xy" * 32 + b"\n", b"ab " * 21 + b"a\n", b"\xff" * 65],
)
def test_a_damaged_one_is_told_and_left_alone(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    for ask in (KeyFile(path).read, KeyFile(path).make):
        with pytest.raises(UnusableKey, match="damaged"):
            ask()
    assert path.read_bytes() == text


def test_a_link_is_not_followed(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(UnusableKey):
        KeyFile(path).make()
    assert not path.with_name("elsewhere").exists()


def test_where_none_can_be_written_that_is_said(path: Path) -> None:
    with pytest.raises(UnusableKey, match="No such file"):
        KeyFile(path.parent / "absent" / "devices.key").make()


def test_a_verifier_is_of_one_place_one_password_and_one_key() -> None:
    key, secret = DeviceKey(KEY), words.make()
    known = key.verifier(PLACE, secret)
    assert key.verifier(PLACE, secret) == known
    for other in (Place("anna", "laptop", 7), Place("bob", "phone", 7), Place("bob", "laptop", 8)):
        assert key.verifier(other, secret) != known
    assert key.verifier(PLACE, words.make()) != known
    assert DeviceKey(Secret(bytes(32))).verifier(PLACE, secret) != known
    assert secret.reveal() not in known


def test_what_is_sealed_opens_in_its_place_alone() -> None:
    key, secret = DeviceKey(KEY), words.make()
    sealed = key.seal(PLACE, secret)
    assert key.unseal(PLACE, sealed) == secret
    assert secret.reveal() not in sealed
    assert key.seal(PLACE, secret) != sealed
    for other in (Place("anna", "laptop", 7), Place("bob", "phone", 7), Place("bob", "laptop", 8)):
        with pytest.raises(UnusableSeal):
            key.unseal(other, sealed)
    with pytest.raises(UnusableSeal):
        DeviceKey(Secret(bytes(32))).unseal(PLACE, sealed)


@pytest.mark.parametrize("octet", [0, 11, 12, 20, 55])
def test_what_is_damaged_does_not_open(octet: int) -> None:
    key = DeviceKey(KEY)
    sealed = bytearray(key.seal(PLACE, words.make()))
    sealed[octet] ^= 1
    for damaged in (bytes(sealed), bytes(sealed[:octet])):
        with pytest.raises(UnusableSeal):
            key.unseal(PLACE, damaged)


def test_nothing_shows_the_key(path: Path) -> None:
    file = KeyFile(path)
    key = file.make()
    text = path.read_text().strip()
    shown = repr((file, key, key.mark, [getattr(key, name) for name in key.__slots__]))
    assert text not in shown
    assert repr(bytes.fromhex(text)) not in shown
    path.write_text(text[:-2] + "zz\n")
    with pytest.raises(UnusableKey) as caught:
        file.read()
    assert caught.value.__context__ is None or text[:16] not in repr(caught.value.__context__)
