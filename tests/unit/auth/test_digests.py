"""Digests, judged: by entries of passwd-files that may serve them, and alike for everybody."""

import asyncio
from pathlib import Path

import pytest

from restante.auth import digests
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.md5_states import states_of
from restante.auth.options import FurtherMechanism, ThrottleOptions
from restante.errors import AuthenticationFailed
from restante.identity import DigestCredentials, Identity
from restante.sasl.apop import apop_digest
from restante.sasl.cram_md5 import cram_md5_digest
from restante.secret import Secret
from restante.telemetry import RecordingLog
from unit.auth.scene import NO_THROTTLE, PEER, options, run

CHALLENGE = b"<1896.697170952@dbc.mtview.ca.us>"
DIGESTS = {"APOP": apop_digest, "CRAM-MD5": cram_md5_digest}


def asked(
    name: str, mechanism: str, password: bytes = b"tanstaaf", *, who: str = ""
) -> DigestCredentials:
    digest = Secret(DIGESTS[mechanism](CHALLENGE, password))
    return DigestCredentials(name, CHALLENGE, digest, mechanism, who)


class Scene:
    """An authenticator with a file of entries."""

    def __init__(self, state: Path) -> None:
        (state / "auth").mkdir(parents=True)
        self.state = state
        self.file = state / "passwd"
        states = states_of(b"tanstaaf").hex()
        self.file.write_text(
            "plain:{PLAIN}tanstaaf\nclear:{CLEAR}tanstaaf\n"
            f"cram:{{CRAM-MD5}}{states}\nupper:{{HMAC-MD5}}{states.upper()}\n"
            "hashed:{SHA256}OtEGdmSp7FCOMtfAk4GUGm/Ud/1cZdx41nzoHT5yfcg=\n"
            "gone:{PLAIN}tanstaaf::::::nologin\nbroken:{CRAM-MD5}kanarienvogel\n"
        )
        self.slept: list[float] = []

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def all(
        self,
        *questions: DigestCredentials,
        verifies: tuple[FurtherMechanism, ...] = ("APOP", "CRAM-MD5"),
        throttle: ThrottleOptions = NO_THROTTLE,
    ) -> list[str]:
        """Return who each question lets in, or why it does not."""

        async def ask() -> list[str]:
            settings = options(
                self.state,
                accounts=False,
                passwd_file=self.file,
                verifies=verifies,
                throttle=throttle,
            )
            authenticator = InProcessAuthenticator(settings, RecordingLog(), sleep=self._sleep)
            found = []
            for question in questions:
                try:
                    identity = await authenticator.authenticate(question, PEER)
                except AuthenticationFailed as error:
                    found.append(f"-{error.reason}")
                else:
                    assert type(identity) is Identity
                    found.append(f"{identity.name} {identity.source}")
            await authenticator.close()
            return found

        return run(ask())


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "state")


def test_right_digests(scene: Scene) -> None:
    """conformance: 1939-S-46, 2195-S-02"""
    cram = [asked(name, "CRAM-MD5") for name in ("plain", "CLEAR", "cram", "upper")]
    assert scene.all(*cram) == [f"{n} passwd-file" for n in ("plain", "clear", "cram", "upper")]
    apop = [asked(name, "APOP") for name in ("plain", "clear")]
    assert scene.all(*apop) == ["plain passwd-file", "clear passwd-file"]


def test_apop_is_computed_over_the_prepared_password(scene: Scene) -> None:
    """conformance: 6856-S-15"""
    scene.file.write_text("unprepared:{PLAIN}I\u00adX\u2168\n")
    assert scene.all(asked("unprepared", "APOP", b"IXIX")) == ["unprepared passwd-file"]
    assert scene.all(asked("unprepared", "APOP", "I\u00adX\u2168".encode())) == ["-digest"]
    assert scene.all(asked("un\u00adprepared", "APOP", b"IXIX")) == ["unprepared passwd-file"]


def test_every_other_digest(scene: Scene) -> None:
    """conformance: 4422-S-03"""
    for mechanism in DIGESTS:
        questions = [
            asked("plain", mechanism, b"tanstaaf!"),
            asked("nobody", mechanism),
            asked("gone", mechanism),
            asked("gone", mechanism, b"wrong"),
            asked("hashed", mechanism),
            asked("broken", mechanism),
            asked("broken", mechanism, b""),
            asked("../plain", mechanism),
            asked("plain", mechanism, who="cram"),
            asked("plain", mechanism)._replace(challenge=CHALLENGE + b"x"),
            asked("plain", mechanism)._replace(digest=Secret(b"")),
        ]
        reasons = [
            "-digest",
            "-unknown",
            "-disabled",
            "-digest",
            "-digest",
            "-digest",
            "-digest",
            "-unknown",
            "-authorization",
            "-digest",
            "-digest",
        ]
        assert scene.all(*questions) == reasons, mechanism
    # What is kept for CRAM-MD5 is of no use to APOP.
    assert scene.all(asked("cram", "APOP")) == ["-digest"]


def test_a_file_serves_what_its_source_says(scene: Scene) -> None:
    """conformance: 2195-S-05"""
    both = [asked("plain", mechanism) for mechanism in DIGESTS]
    assert scene.all(*both, verifies=("APOP",)) == ["plain passwd-file", "-digest"]
    assert scene.all(*both, verifies=("CRAM-MD5",)) == ["-digest", "plain passwd-file"]
    assert scene.all(*both, verifies=()) == ["-digest", "-digest"]


def test_every_wrong_digest_counts(scene: Scene) -> None:
    """Which password it was made with cannot be told, so none repeats another."""
    challenges = [b"<%d@example.org>" % number for number in range(5)]
    questions = [
        DigestCredentials("plain", each, Secret(cram_md5_digest(each, b"wrong")), "CRAM-MD5")
        for each in challenges
    ]
    scene.all(*questions, throttle=ThrottleOptions(free_failures=3))
    assert len(scene.slept) == 1


def test_the_work_is_the_same(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """conformance: 1939-S-66"""
    work: list[str] = []
    for name in ("apop_digest", "cram_md5_digest", "hmac_md5_from"):
        done = getattr(digests, name)

        def counted(*arguments: bytes, name: str = name, done: object = done) -> object:
            work.append(name)
            return done(*arguments)  # type: ignore[operator]

        monkeypatch.setattr(digests, name, counted)
    scene.file.write_text("cram:{CRAM-MD5}" + states_of(b"x").hex() + "\n")
    for mechanism, names in (("CRAM-MD5", ("cram", "nobody")), ("APOP", ("cram", "nobody"))):
        seen = []
        for name in names:
            work.clear()
            scene.all(asked(name, mechanism))
            seen.append(tuple(work))
        assert seen[0] == seen[1]
        assert len(seen[0]) == 1
