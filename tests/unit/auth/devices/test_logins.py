"""Logins of devices through the authenticator: let in by their rules, told in the log alone."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.auth import hashes
from restante.auth.administration import Administration
from restante.auth.devices import uses, words
from restante.auth.devices.administration import DeviceAdministration
from restante.auth.devices.device import Mechanism
from restante.auth.devices.key import FILE_NAME
from restante.auth.devices.uses import Use
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.messages import login_frame, read_login
from restante.auth.options import ThrottleOptions
from restante.errors import AuthenticationFailed
from restante.identity import (
    DigestCredentials,
    Identity,
    MutualIdentity,
    PasswordCredentials,
    SaltRequest,
)
from restante.sasl.apop import apop_digest
from restante.sasl.cram_md5 import cram_md5_digest
from restante.sasl.scram import derive, server_signature
from restante.secret import Secret
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import NO_THROTTLE, PEER, Clock, options, peer, proof_of, run

CHALLENGE = b"<1896.697170952@pop.example.org>"


class Scene:
    """An authenticator, the accounts that it asks, and a count of its slow hashes."""

    def __init__(
        self,
        state: Path,
        monkeypatch: pytest.MonkeyPatch,
        throttle: ThrottleOptions = NO_THROTTLE,
        passwd_file: Path | None = None,
    ) -> None:
        self.state = state
        settings = options(state, throttle=throttle, passwd_file=passwd_file)
        self.accounts = Administration(settings)
        self.accounts.add("bob", Secret(b"own password"))
        self.clock = Clock()
        self.devices = DeviceAdministration(self.accounts, self.clock)
        self.log = RecordingLog()
        self.hashes = 0
        verify = hashes.verify

        def counted(stored: str, password: bytes) -> bool:
            self.hashes += 1
            return verify(stored, password)

        monkeypatch.setattr(hashes, "verify", counted)
        self.slept: list[float] = []
        self.authenticator = InProcessAuthenticator(
            settings, self.log, clock=self.clock, sleep=self._sleep, wall_clock=self.clock
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def add(self, device: str = "laptop", **rules: object) -> bytes:
        return self.devices.add("bob", device, **rules).reveal()  # type: ignore[arg-type]

    async def log_in(
        self,
        password: bytes,
        mechanism: str = "USER",
        *,
        name: str = "bob",
        address: str = PEER.address,
    ) -> Identity:
        credentials = PasswordCredentials(name, Secret(password), mechanism)
        return await self.authenticator.authenticate(credentials, peer(address))

    async def log_in_by_digest(
        self, secret: bytes, mechanism: str, *, name: str = "bob", address: str = PEER.address
    ) -> Identity:
        make = apop_digest if mechanism == "APOP" else cram_md5_digest
        digest = Secret(make(CHALLENGE, secret))
        credentials = DigestCredentials(name, CHALLENGE, digest, mechanism)
        return await self.authenticator.authenticate(credentials, peer(address))

    async def log_in_by_scram(
        self,
        secret: bytes,
        mechanism: str = "SCRAM-SHA-256",
        *,
        name: str = "bob",
        address: str = PEER.address,
    ) -> Identity:
        asking = peer(address)
        self.parameters = await self.authenticator.salt(SaltRequest(name, mechanism), asking)
        self.proof = proof_of(name, secret, self.parameters, mechanism)
        self.typed = secret
        return await self.authenticator.authenticate(self.proof, asking)

    def proves_the_server(self, identity: Identity) -> bool:
        """Check the server's signature as the client that has just logged in does."""
        assert isinstance(identity, MutualIdentity)
        salt, iterations = self.parameters
        keys = derive(self.proof.mechanism, self.typed, salt, iterations)
        signature = server_signature(self.proof.mechanism, keys.server_key, self.proof.auth_message)
        return identity.server_signature == signature

    async def scram_refusal(self, secret: bytes, **named: str) -> str:
        """Log in by SCRAM in vain, and return the reason."""
        with pytest.raises(AuthenticationFailed) as caught:
            await self.log_in_by_scram(secret, **named)
        assert str(caught.value) == "authentication failed"
        return str(caught.value.reason)

    async def refusal(self, *arguments: object, digest: bool = False, **named: object) -> str:
        """Log in in vain, and return the reason, after holding the refusal to what all are told."""
        log_in = self.log_in_by_digest if digest else self.log_in
        with pytest.raises(AuthenticationFailed) as caught:
            await log_in(*arguments, **named)  # type: ignore[arg-type]
        assert str(caught.value) == "authentication failed"
        assert caught.value.reason is not None
        return caught.value.reason

    def recognise(
        self, password: bytes, mechanism: str = "USER", address: str = PEER.address
    ) -> Identity | None:
        """Log in as a frame of a worker does."""
        credentials = PasswordCredentials("bob", Secret(password), mechanism)
        frame = b"".join(login_frame(1, credentials, peer(address))[1:])
        self.authenticator.refresh()
        found = self.authenticator.recognise(read_login(_sizes(credentials, address) + frame))
        return None if found is None else found.identity

    async def close(self) -> None:
        await self.authenticator.close()
        self.accounts.close()


def _sizes(credentials: PasswordCredentials, address: str) -> bytes:
    head = login_frame(1, credentials, peer(address))[0]
    return head[-20:]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    scene = Scene(tmp_path / "state", monkeypatch)
    yield scene
    run(scene.close())


@pytest.mark.parametrize("mechanism", ["USER", "PLAIN", "LOGIN"])
def test_a_device_logs_in_as_its_account_without_a_slow_hash(scene: Scene, mechanism: str) -> None:
    secret = scene.add(read_only=True)

    async def story() -> None:
        for typed in (secret, secret.replace(b"-", b""), secret.upper()):
            identity = await scene.log_in(typed, mechanism)
            assert identity == Identity("bob", "accounts", None, "laptop", True)

    run(story())
    assert scene.hashes == 0


def test_the_accounts_own_password_goes_on_as_before(scene: Scene) -> None:
    scene.add()

    async def story() -> None:
        assert await scene.log_in(b"own password") == Identity("bob", "accounts")
        assert await scene.refusal(b"wrong") == "password"

    run(story())
    assert scene.hashes == 2


def test_a_wrong_device_password_costs_one_slow_hash_whoever_is_asked_for(scene: Scene) -> None:
    scene.add()

    async def story() -> None:
        for name, reason in (("bob", "password"), ("nobody", "unknown"), ("?", "unknown")):
            before = scene.hashes
            assert await scene.refusal(words.make().reveal(), name=name) == reason
            assert scene.hashes == before + 1

    run(story())


def test_broken_rules_are_refused_as_wrong_passwords_are(scene: Scene) -> None:
    """And cost as much: whoever found a password is not told that it would do elsewhere."""
    cases = {
        "device expired: expired": scene.add("expired", expires_at=1_001),
        "device network: elsewhere": scene.add("elsewhere", networks=("198.51.100.0/24",)),
        "device mechanism: apop": scene.add("apop", mechanism="apop"),
        "device mechanism: cram-md5": scene.add("cram-md5", mechanism="cram-md5"),
    }
    scene.clock.now += 1

    async def story() -> None:
        for reason, secret in cases.items():
            for _ in range(2):
                before = scene.hashes
                assert await scene.refusal(secret) == reason
                assert scene.hashes == before + 1

    run(story())


def test_a_disabled_account_has_no_devices_either(scene: Scene) -> None:
    secret = scene.add()
    apop = scene.add("old", mechanism="apop")

    async def story() -> None:
        await scene.log_in(secret)
        scene.accounts.disable("bob")
        assert await scene.refusal(secret) == "disabled"
        assert await scene.refusal(apop, "APOP", digest=True) == "disabled"
        assert scene.hashes == 1
        scene.accounts.enable("bob")
        await scene.log_in(secret)

    run(story())


def test_a_device_acts_for_nobody_else(scene: Scene) -> None:
    credentials = PasswordCredentials("bob", Secret(scene.add()), "PLAIN", "anna")

    async def story() -> None:
        with pytest.raises(AuthenticationFailed):
            await scene.authenticator.authenticate(credentials, PEER)

    run(story())


# ---- warm


async def met(scene: Scene, *secrets: bytes) -> None:
    """Log in until the authenticator knows a regular."""
    for secret in secrets:
        scene.authenticator.refresh()
        await scene.log_in(secret)
        await scene.log_in(secret)


def test_devices_and_the_owner_are_regulars_side_by_side(scene: Scene) -> None:
    laptop, phone = scene.add("laptop"), scene.add("phone", read_only=True)

    async def story() -> None:
        await met(scene, b"own password", laptop, phone)
        for _ in range(3):
            assert scene.recognise(b"own password") == Identity("bob", "accounts")
            assert scene.recognise(laptop) == Identity("bob", "accounts", None, "laptop")
            assert scene.recognise(phone) == Identity("bob", "accounts", None, "phone", True)
        assert scene.recognise(words.make().reveal()) is None

    run(story())


def test_a_revoked_device_is_no_regular_from_the_next_login_on(scene: Scene) -> None:
    laptop, phone = scene.add("laptop"), scene.add("phone")

    async def story() -> None:
        await met(scene, laptop, phone, b"own password")
        scene.devices.revoke("bob", "laptop")
        assert scene.recognise(laptop) is None
        # From elsewhere, or the failure would have everybody here wait for a turn.
        assert await scene.refusal(laptop, address="198.51.100.1") == "password"
        await met(scene, phone, b"own password")
        assert scene.recognise(phone) is not None
        assert scene.recognise(b"own password") is not None
        assert scene.recognise(laptop) is None

    run(story())


def test_rules_are_asked_at_every_warm_login(scene: Scene) -> None:
    """The cache knows whose password it is, and nothing of whether it will do today."""
    secret = scene.add(expires_at=1_500, networks=("192.0.2.0/24",))

    async def story() -> None:
        await met(scene, secret)
        assert scene.recognise(secret) is not None
        assert scene.recognise(secret, address="198.51.100.1") is None
        assert await scene.refusal(secret, address="198.51.100.1") == "device network: laptop"
        assert scene.recognise(secret) is not None
        scene.clock.now = 1_500
        assert scene.recognise(secret) is None
        assert await scene.refusal(secret) == "device expired: laptop"

    run(story())


def test_a_device_added_anew_under_its_name_has_another_password(scene: Scene) -> None:
    old = scene.add()

    async def story() -> None:
        await met(scene, old)
        scene.devices.revoke("bob", "laptop")
        new = scene.add()
        assert await scene.refusal(old) == "password"
        await scene.log_in(new)

    run(story())


# ---- digests


@pytest.mark.parametrize(("allowed", "mechanism"), [("apop", "APOP"), ("cram-md5", "CRAM-MD5")])
def test_a_device_logs_in_by_a_digest(scene: Scene, allowed: Mechanism, mechanism: str) -> None:
    """conformance: 2195-S-05"""
    secret = scene.add(mechanism=allowed, read_only=True)

    async def story() -> None:
        for typed in (secret, secret.replace(b"-", b"")):
            identity = await scene.log_in_by_digest(typed, mechanism)
            assert identity == Identity("bob", "accounts", None, "laptop", True)
        assert await scene.refusal(b"own password", mechanism, digest=True) == "digest"
        assert await scene.refusal(secret, mechanism, digest=True, name="anna") == "unknown"

    run(story())
    assert scene.hashes == 0


@pytest.mark.parametrize(("allowed", "mechanism"), [("apop", "APOP"), ("cram-md5", "CRAM-MD5")])
def test_no_secret_is_for_digests_and_for_being_sent(
    scene: Scene, allowed: Mechanism, mechanism: str
) -> None:
    """conformance: 1939-S-55 2195-S-04

    Per password rather than per account: what is sent in clear is never also what is digested.
    """
    digested, sent = scene.add("digested", mechanism=allowed), scene.add("sent")

    async def story() -> None:
        for plain in ("USER", "PLAIN", "LOGIN"):
            reason = await scene.refusal(digested, plain)
            assert reason == "device mechanism: digested"
        assert await scene.refusal(sent, mechanism, digest=True) == "digest"
        await scene.log_in(sent)
        await scene.log_in_by_digest(digested, mechanism)

    run(story())


def test_the_rules_hold_for_digests(scene: Scene) -> None:
    secret = scene.add(mechanism="apop", expires_at=1_500, networks=("192.0.2.0/24",))

    async def story() -> None:
        await scene.log_in_by_digest(secret, "APOP")
        reason = await scene.refusal(secret, "APOP", digest=True, address="198.51.100.1")
        assert reason == "device network: laptop"
        scene.clock.now = 1_500
        assert await scene.refusal(secret, "APOP", digest=True) == "device expired: laptop"
        scene.devices.revoke("bob", "laptop")
        assert await scene.refusal(secret, "APOP", digest=True) == "digest"

    run(story())


def test_a_lost_key_shuts_out_devices_and_nobody_else(scene: Scene) -> None:
    secret, old = scene.add(), scene.add("old", mechanism="apop")
    scene.state.joinpath(FILE_NAME).unlink()

    async def story() -> None:
        assert await scene.refusal(secret) == "password"
        assert await scene.refusal(old, "APOP", digest=True) == "digest"
        await scene.log_in(b"own password")

    run(story())
    (warning,) = scene.log.named(Event.WARNING)
    assert "the key of the devices is gone" in str(warning["reason"])


# ---- SCRAM


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"])
def test_a_device_logs_in_by_scram(scene: Scene, mechanism: str) -> None:
    """With the salt of its account, since a name alone says which salt a client is told."""
    laptop, phone = scene.add("laptop", read_only=True), scene.add("phone")

    async def story() -> None:
        for typed in (laptop, laptop.replace(b"-", b"")):
            identity = await scene.log_in_by_scram(typed, mechanism)
            assert isinstance(identity, MutualIdentity)
            assert (identity.name, identity.device, identity.read_only) == ("bob", "laptop", True)
            assert scene.proves_the_server(identity)
        assert (await scene.log_in_by_scram(phone, mechanism)).device == "phone"
        own = await scene.log_in_by_scram(b"own password", mechanism)
        assert (own.device, scene.proves_the_server(own)) == ("", True)

    run(story())


def test_the_rules_hold_for_scram(scene: Scene) -> None:
    secret = scene.add(expires_at=1_500, networks=("192.0.2.0/24",))
    old = scene.add("old", mechanism="apop")

    async def story() -> None:
        await scene.log_in_by_scram(secret)
        assert await scene.scram_refusal(secret, address="198.51.100.1") == "device network: laptop"
        assert await scene.scram_refusal(old) == "password"
        assert await scene.scram_refusal(secret, name="anna") == "unknown"
        scene.accounts.disable("bob")
        assert await scene.scram_refusal(secret) == "disabled"
        scene.accounts.enable("bob")
        await scene.log_in_by_scram(secret)
        scene.clock.now = 1_500
        assert await scene.scram_refusal(secret) == "device expired: laptop"
        scene.devices.revoke("bob", "laptop")
        assert await scene.scram_refusal(secret) == "password"

    run(story())


def test_a_new_password_of_the_account_leaves_its_devices(scene: Scene) -> None:
    secret = scene.add()

    async def story() -> None:
        scene.accounts.set_password("bob", Secret(b"another"))
        assert (await scene.log_in_by_scram(secret)).device == "laptop"
        assert (await scene.log_in_by_scram(b"another")).device == ""
        assert await scene.scram_refusal(b"own password") == "password"

    run(story())


def test_without_devices_a_new_password_has_a_new_salt(scene: Scene) -> None:
    async def story() -> None:
        before = await scene.authenticator.salt(SaltRequest("bob", "SCRAM-SHA-256"), PEER)
        scene.accounts.set_password("bob", Secret(b"another"))
        after = await scene.authenticator.salt(SaltRequest("bob", "SCRAM-SHA-256"), PEER)
        assert before.salt != after.salt

    run(story())


# ---- what is kept of them


def test_the_last_use_is_kept(scene: Scene) -> None:
    laptop, old = scene.add("laptop"), scene.add("old", mechanism="apop")

    async def story() -> None:
        await met(scene, laptop)
        await scene.log_in_by_digest(old, "APOP", address="2001:db8::1")
        scene.clock.now = 2_000
        assert scene.recognise(laptop, "PLAIN", "198.51.100.1") is not None
        await scene.refusal(laptop, "PLAIN", name="anna")
        await scene.authenticator.close()

    run(story())
    last = {each.device.name: each.last_use for each in scene.devices.list("bob")}
    assert last == {
        "laptop": Use(2_000, "198.51.100.1", "PLAIN"),
        "old": Use(1_000, "2001:db8::1", "APOP"),
    }


def test_a_login_that_is_noted_changes_nothing_for_regulars(scene: Scene) -> None:
    secret = scene.add()

    async def story() -> None:
        await met(scene, secret)
        await asyncio.to_thread(uses.write, scene.state / uses.FILE_NAME, {})
        assert scene.recognise(secret) is not None

    run(story())


def test_the_account_of_another_source_has_no_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the accounts database has a device of that name."""
    file = tmp_path / "users"
    file.write_text("anna:{PLAIN}secret\n")
    scene = Scene(tmp_path / "state", monkeypatch, passwd_file=file)

    async def story() -> None:
        assert await scene.refusal(words.make().reveal(), name="anna") == "password"
        assert (await scene.log_in(b"secret", name="anna")).source == "passwd-file"
        await scene.close()

    run(story())


def test_a_program_that_goes_on_after_its_device_expired_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path / "state", monkeypatch, ThrottleOptions(free_failures=2))
    secret, old = scene.add(expires_at=1_001), scene.add("old", mechanism="apop", expires_at=1_001)
    scene.clock.now = 1_001

    async def story() -> None:
        for _ in range(5):
            await scene.refusal(secret)
            await scene.refusal(old, "APOP", digest=True)
        await scene.close()

    run(story())
    assert scene.slept == []


def test_a_password_is_in_no_event_and_no_refusal(scene: Scene) -> None:
    secret, old = scene.add(expires_at=1_500), scene.add("old", mechanism="apop")

    async def story() -> None:
        await scene.log_in(secret)
        await scene.log_in_by_digest(old, "APOP")
        scene.clock.now = 1_500
        told = [await scene.refusal(secret), await scene.refusal(old)]
        scene.state.joinpath(FILE_NAME).unlink()
        told += [await scene.refusal(secret), await scene.refusal(old, "APOP", digest=True)]
        told += [repr(scene.log.events), repr(scene.authenticator.__dict__)]
        for octets in (secret, old):
            for spelling in words.spellings(words.read(octets) or Secret(b"")):
                assert spelling.decode() not in "".join(told)

    run(story())
