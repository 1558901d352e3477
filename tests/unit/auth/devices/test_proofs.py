"""Which device a proof comes from: found by its password, by a digest of it, or not at all."""

import hmac
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from restante.auth.devices import words
from restante.auth.devices.device import Device, Mechanism, StoredDevice
from restante.auth.devices.key import KeyFile, Place
from restante.auth.devices.proofs import ROUNDS, DeviceProofs
from restante.identity import DigestCredentials
from restante.sasl.apop import apop_digest
from restante.sasl.cram_md5 import cram_md5_digest
from restante.secret import Secret
from restante.telemetry import Event, RecordingLog

CHALLENGE = b"<1896.697170952@pop.example.org>"


class Scene:
    """Devices in memory, and a key in a file."""

    def __init__(self, folder: Path) -> None:
        self.key_path = folder / "devices.key"
        self.key = KeyFile(self.key_path).make()
        self.log = RecordingLog()
        self.devices: dict[str, list[StoredDevice]] = {}
        self.proofs = DeviceProofs(
            lambda name: self.devices.get(name, []), KeyFile(self.key_path), self.log
        )

    def add(self, account: str, name: str, mechanism: Mechanism = "any") -> Secret:
        stored = self.devices.setdefault(account, [])
        device = Device(len(stored) + 1, name, mechanism)
        secret, place = words.make(), Place(account, name, device.id)
        sealed = None if mechanism == "any" else self.key.seal(place, secret)
        verifier = self.key.verifier(place, secret)
        stored.append(StoredDevice(device, 0, self.key.mark, verifier, sealed))
        return secret

    def by_password(self, name: str | None, password: bytes) -> str | None:
        found = self.proofs.by_password(name, password)
        return None if found is None else found.name

    def by_digest(
        self, name: str | None, secret: bytes, mechanism: str = "APOP", challenge: bytes = CHALLENGE
    ) -> str | None:
        make = apop_digest if mechanism == "APOP" else cram_md5_digest
        digest = Secret(make(CHALLENGE, secret))
        found = self.proofs.by_digest(name, DigestCredentials("x", challenge, digest, mechanism))
        return None if found is None else found.name


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_each_device_is_known_by_its_own_password(scene: Scene) -> None:
    secrets = {name: scene.add("bob", name) for name in ("laptop", "phone", "printer")}
    for name, secret in secrets.items():
        assert scene.by_password("bob", secret.reveal()) == name
        assert scene.by_password("bob", words.grouped(secret).reveal().upper()) == name


def test_a_device_is_of_one_account(scene: Scene) -> None:
    secret = scene.add("bob", "laptop")
    scene.add("anna", "laptop")
    assert scene.by_password("anna", secret.reveal()) is None
    assert scene.by_password("nobody", secret.reveal()) is None
    assert scene.by_password(None, secret.reveal()) is None


def test_no_other_password_is_asked_about(tmp_path: Path) -> None:
    def find(name: str) -> list[StoredDevice]:
        raise AssertionError

    asked = DeviceProofs(find, KeyFile(tmp_path / "key"), RecordingLog())
    assert asked.by_password("bob", b"secret") is None


@pytest.mark.parametrize("mechanism", ["apop", "cram-md5"])
def test_a_device_is_known_by_a_digest(scene: Scene, mechanism: Mechanism) -> None:
    secret = scene.add("bob", "laptop", mechanism)
    for spelling in words.spellings(secret):
        assert scene.by_digest("bob", spelling, mechanism.upper()) == "laptop"
    assert scene.by_digest("bob", words.make().reveal(), mechanism.upper()) is None
    assert scene.by_digest("bob", b"", mechanism.upper()) is None


def test_a_digest_is_of_one_challenge(scene: Scene) -> None:
    secret = scene.add("bob", "laptop", "apop")
    assert scene.by_digest("bob", secret.reveal(), challenge=b"<another@one>") is None


def test_a_digest_is_looked_for_among_those_that_are_allowed_it(scene: Scene) -> None:
    for allowed in ("any", "cram-md5"):
        secret = scene.add("bob", allowed, allowed)
        assert scene.by_digest("bob", secret.reveal(), "APOP") is None


def test_a_mechanism_that_is_none_finds_nothing(scene: Scene) -> None:
    secret = scene.add("bob", "laptop", "apop")
    assert scene.by_digest("bob", secret.reveal(), "DIGEST-MD5") is None


def test_what_is_sealed_for_one_device_is_worth_nothing_in_another(scene: Scene) -> None:
    mine, theirs = scene.add("bob", "mine", "apop"), scene.add("bob", "theirs", "apop")
    first, second = scene.devices["bob"]
    scene.devices["bob"] = [replace(first, sealed=second.sealed), second]
    assert scene.by_digest("bob", mine.reveal()) is None
    assert scene.by_digest("bob", theirs.reveal()) == "theirs"
    assert "does not open: device mine" in str(scene.log.named(Event.WARNING))


def test_a_lost_key_is_said(scene: Scene) -> None:
    secret = scene.add("bob", "laptop", "apop")
    scene.key_path.unlink()
    assert scene.by_password("bob", secret.reveal()) is None
    assert scene.by_password("bob", secret.reveal()) is None
    assert scene.by_digest("bob", secret.reveal()) is None
    (warning,) = scene.log.named(Event.WARNING)
    assert warning == {
        "reason": "the key of the devices is gone: its devices let nobody in",
        "user": "bob",
    }


def test_another_key_is_said(scene: Scene) -> None:
    secret = scene.add("bob", "laptop", "apop")
    scene.key_path.unlink()
    scene.key = KeyFile(scene.key_path).make()
    newer = scene.add("bob", "phone", "apop")
    assert scene.by_password("bob", secret.reveal()) is None
    assert scene.by_password("bob", newer.reveal()) == "phone"
    assert scene.by_digest("bob", newer.reveal()) == "phone"
    (warning,) = scene.log.named(Event.WARNING)
    assert str(warning["reason"]).endswith("made with: laptop")


def test_without_devices_a_lost_key_is_nothing_to_speak_of(scene: Scene) -> None:
    scene.key_path.unlink()
    assert scene.by_password("bob", words.make().reveal()) is None
    assert scene.by_digest("bob", words.make().reveal()) is None
    assert scene.log.events == []


@pytest.mark.parametrize("ask", ["by_password", "by_digest"])
def test_the_work_is_the_same_for_whoever_has_few_devices_or_none(
    scene: Scene, ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0

    def counted(one: bytes, other: bytes) -> bool:
        nonlocal rounds
        rounds += 1
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", counted)
    for number in range(ROUNDS):
        scene.add("bob", f"{number}", "apop")
    scene.add("anna", "laptop", "apop")
    work = set()
    for name in ("bob", "anna", "nobody", None):
        rounds = 0
        find: Callable[[str | None, bytes], str | None] = getattr(scene, ask)
        assert find(name, words.make().reveal()) is None
        work.add(rounds)
    scene.key_path.unlink()
    rounds = 0
    assert getattr(scene, ask)("bob", words.make().reveal()) is None
    assert work == {rounds}
    assert rounds >= ROUNDS
