"""Proofs that say themselves whose they are, and the accounts that they have to be of."""

import asyncio
from pathlib import Path

import pytest

from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.options import AuthOptions, SourceOptions, ThrottleOptions
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import CertificateCredentials, Identity, TokenCredentials
from restante.secret import Secret
from restante.telemetry import RecordingLog
from unit.auth.scene import CHEAP, NO_THROTTLE, PEER, run
from unit.auth.test_certificates import certificate

BOB, ALICE = certificate("bob@example.org"), certificate("alice@example.org")
GONE, NOBODY = certificate("gone@example.org"), certificate("nobody@example.org")
NAMELESS = certificate()
BY_CERTIFICATE = SourceOptions(type="certificate")


class Tokens:
    """A source that knows some tokens."""

    name = "tokens"

    async def holder(self, token: Secret) -> str | None:
        await asyncio.sleep(0)
        if token.reveal() == b"later":
            raise TemporaryFailure(reason="the issuer does not answer")
        return {b"bobs": "bob@example.org", b"nobodys": "nobody@example.org"}.get(token.reveal())

    async def close(self) -> None:
        pass


def shown(der: bytes, name: str = "", who: str = "") -> CertificateCredentials:
    return CertificateCredentials(name, der, authorization_name=who)


def token(octets: bytes, name: str = "", who: str = "") -> TokenCredentials:
    return TokenCredentials(name, Secret(octets), "OAUTHBEARER", who)


def judged(
    directory: Path,
    *questions: CertificateCredentials | TokenCredentials,
    sources: tuple[SourceOptions, ...] = (SourceOptions(), BY_CERTIFICATE),
    throttle: ThrottleOptions = NO_THROTTLE,
    slept: list[float] | None = None,
    issuers: tuple[Tokens, ...] = (Tokens(),),
) -> list[str]:
    """Return who each question lets in, or why it does not."""
    (directory / "auth").mkdir(exist_ok=True)
    if not (directory / FILE_NAME).exists():
        database = AccountsDatabase(directory / FILE_NAME)
        for name in ("bob@example.org", "alice@example.org", "gone@example.org"):
            database.add(name, "{PLAIN}x", f"/mail/{name}")
        database.disable("gone@example.org")
        database.close()

    async def sleep(seconds: float) -> None:
        assert slept is not None
        slept.append(seconds)

    async def ask() -> list[str]:
        options = AuthOptions(
            state_directory=directory,
            default_domain="example.org",
            sources=sources,
            hashing=CHEAP,
            throttle=throttle,
        )
        authenticator = InProcessAuthenticator(
            options, RecordingLog(), token_sources=issuers, sleep=sleep
        )
        found = []
        for question in questions:
            try:
                identity = await authenticator.authenticate(question, PEER)
            except AuthenticationFailed as error:
                found.append(f"-{error.reason}")
            except TemporaryFailure as error:
                found.append(f"?{error.reason}")
            else:
                assert type(identity) is Identity
                found.append(f"{identity.name} {identity.source} {identity.mailbox}")
        await authenticator.close()
        return found

    return run(ask())


def test_a_certificate_proves_an_account(tmp_path: Path) -> None:
    """conformance: 4422-S-06, 4422-S-04"""
    questions = [
        shown(BOB),
        shown(BOB, "bob"),
        shown(BOB, "BOB@example.org"),
        shown(BOB, "", "bob"),
    ]
    expected = "bob@example.org accounts /mail/bob@example.org"
    assert judged(tmp_path, *questions) == [expected] * 4


def test_a_certificate_that_does_not(tmp_path: Path) -> None:
    """conformance: 4422-S-03, 4422-S-06"""
    questions = {
        shown(BOB, "alice"): "-authorization",
        shown(BOB, "", "alice"): "-authorization",
        shown(BOB, "nobody"): "-authorization",
        shown(BOB, "../bob"): "-authorization",
        shown(GONE): "-disabled",
        shown(NOBODY): "-unknown",
        shown(NAMELESS): "-certificate",
        shown(NAMELESS, "bob"): "-certificate",
        shown(b"no certificate", "bob"): "-certificate",
    }
    assert judged(tmp_path, *questions) == list(questions.values())
    assert judged(tmp_path, shown(BOB), sources=(SourceOptions(),)) == ["-mechanism"]


def test_without_accounts_a_name_is_enough(tmp_path: Path) -> None:
    found = judged(tmp_path, shown(NOBODY), shown(NOBODY, "bob"), sources=(BY_CERTIFICATE,))
    assert found == ["nobody@example.org certificate None", "-authorization"]


def test_a_token_proves_an_account(tmp_path: Path) -> None:
    questions = [token(b"bobs"), token(b"bobs", "bob"), token(b"bobs", "", "bob")]
    expected = "bob@example.org accounts /mail/bob@example.org"
    assert judged(tmp_path, *questions) == [expected] * 3


def test_a_token_that_does_not(tmp_path: Path) -> None:
    """conformance: 4422-S-03"""
    questions = [
        token(b"kanarienvogel"),
        token(b"bobs", "alice"),
        token(b"bobs", "", "alice"),
        token(b"nobodys"),
        token(b"later"),
    ]
    found = ["-token", "-authorization", "-authorization", "-unknown"]
    assert judged(tmp_path, *questions) == [*found, "?the issuer does not answer"]


class Dead(Tokens):
    """A source whose issuer is not there."""

    async def holder(self, token: Secret) -> str | None:
        raise TemporaryFailure(reason="nobody there")


def test_an_issuer_that_is_not_there_costs_the_tokens_of_another_nothing(tmp_path: Path) -> None:
    """threats: A11"""
    questions = [token(b"bobs"), token(b"kanarienvogel"), token(b"later")]
    dead, alive = (Dead(), Tokens()), "bob@example.org accounts /mail/bob@example.org"
    for issuers in (dead, dead[::-1]):
        found = judged(tmp_path, *questions, issuers=issuers)
        assert found[:2] == [alive, "?nobody there"]
        assert found[2] in ("?nobody there", "?the issuer does not answer")


@pytest.mark.parametrize("ask", [shown, token])
def test_the_same_again_counts_once_and_another_each_time(tmp_path: Path, ask: object) -> None:
    slept: list[float] = []
    some = [f"{number}".encode() for number in range(5)]
    throttle = ThrottleOptions(free_failures=3)
    same = [ask(b"same")] * 6  # type: ignore[operator]
    judged(tmp_path, *same, throttle=throttle, slept=slept)
    assert slept == []
    judged(tmp_path, *map(ask, some), throttle=throttle, slept=slept)  # type: ignore[call-overload]
    assert len(slept) == 1
