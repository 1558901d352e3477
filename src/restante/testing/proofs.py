"""The contract of authenticators for proofs other than a password, as tests.

Inherit `ProofContract` beside `AuthenticatorContract`, and say in `mechanisms` what the tested
authenticator verifies for the accounts that it is given; the others have to be refused in the same
words as a wrong password is.
"""

# ruff: noqa: D102 (the name of a test says what it holds)

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from secrets import token_hex

from restante.errors import AuthenticationFailed, Refusal
from restante.identity import (
    AnswersByCall,
    Authenticator,
    CertificateCredentials,
    Credentials,
    DigestCredentials,
    GivesSalts,
    Identity,
    MutualIdentity,
    Outcome,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
    TokenCredentials,
)
from restante.sasl.apop import apop_digest
from restante.sasl.cram_md5 import cram_md5_digest
from restante.sasl.saslprep import prepare_password
from restante.sasl.scram.keys import SCRAM_DIGESTS, client_keys, client_proof, derive, family
from restante.sasl.scram.keys import server_signature as sign
from restante.secret import Secret
from restante.testing.authenticators import (
    ACCOUNTS,
    ALICE,
    BOB,
    GONE,
    JOERG,
    PEER,
    KnownAccount,
    bounded,
    refused,
)

NOBODY = KnownAccount("nobody@example.org", b"tanstaaf")
SCRAM = tuple(f"{name}{bound}" for name in SCRAM_DIGESTS for bound in ("", "-PLUS"))
DIGESTS = {"APOP": apop_digest, "CRAM-MD5": cram_md5_digest}


class ProofContract:
    """The tests of one authenticator, for proofs other than a password."""

    def authenticator(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AbstractAsyncContextManager[Authenticator]:
        """Return a new authenticator that knows these accounts; see `AuthenticatorContract`."""
        raise NotImplementedError

    def mechanisms(self) -> frozenset[str]:
        """Return the mechanisms that it verifies for these accounts, besides passwords."""
        return frozenset()

    # ---- SCRAM

    def test_scram_proves_both_sides(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for mechanism in self._served(SCRAM):
                for account in (ALICE, BOB, JOERG, BOB):
                    proof, parameters = await proved(authenticator, account, mechanism)
                    identity = await authenticator.authenticate(proof, PEER)
                    assert isinstance(identity, MutualIdentity)
                    assert (identity.name, identity.mailbox) == (account.name, account.mailbox)
                    password = prepare_password(account.password)
                    keys = derive(mechanism, password, *parameters)
                    signature = sign(mechanism, keys.server_key, proof.auth_message)
                    assert identity.server_signature == signature

        self._tell_proofs(tmp_path, story)

    def test_parameters_are_the_same_each_time_and_each_name_has_some(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for mechanism in self._served(SCRAM):
                assert isinstance(authenticator, GivesSalts)
                seen = set()
                for name in (BOB.name, GONE.name, NOBODY.name, "nobody@example.net", "", "../x"):
                    request = SaltRequest(name, mechanism)
                    first, again = [await authenticator.salt(request, PEER) for _ in range(2)]
                    assert first == again
                    assert first.iterations >= 4_096
                    seen.add(first)
                assert len({each.salt for each in seen}) == 6
                assert len({(len(each.salt), each.iterations) for each in seen}) == 1

        self._tell_proofs(tmp_path, story)

    def test_a_proof_of_scram_is_for_one_exchange(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for mechanism in self._served(SCRAM):
                proof, _ = await proved(authenticator, BOB, mechanism)
                for other in (
                    proof._replace(auth_message=proof.auth_message + b"x"),
                    proof._replace(name=ALICE.name),
                    proof._replace(proof=Secret(proof.proof.reveal()[:-1])),
                    proof._replace(proof=Secret(b"")),
                    proof._replace(authorization_name=ALICE.name),
                ):
                    await refusal_of(authenticator, other)

        self._tell_proofs(tmp_path, story)

    def test_parameters_are_answered_by_call_too(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for mechanism in self._served(SCRAM):
                if not isinstance(authenticator, AnswersByCall):
                    return
                came: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
                request = SaltRequest(BOB.name, mechanism)
                authenticator.submit(request, PEER, came.set_result)
                assert not came.done()
                assert isinstance(await came, ScramParameters)

        self._tell_proofs(tmp_path, story)

    # ---- digests

    def test_a_digest_proves_an_identity(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for mechanism in self._served(tuple(DIGESTS)):
                for account in (ALICE, BOB, JOERG):
                    proof = digested(account, mechanism)
                    identity = await authenticator.authenticate(proof, PEER)
                    assert type(identity) is Identity
                    assert (identity.name, identity.mailbox) == (account.name, account.mailbox)
                    await refusal_of(authenticator, proof._replace(challenge=b"<other@x>"))

        self._tell_proofs(tmp_path, story)

    # ---- what proves nothing

    def test_every_kind_is_refused_in_the_same_words(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            password = await refused(authenticator, BOB.name, b"kanarienvogel")
            words = type(password), password.code, password.text
            for proof in worthless():
                refusal = await refusal_of(authenticator, proof)
                assert (type(refusal), refusal.code, refusal.text) == words, proof
                told = f"{refusal!r} {refusal} {refusal.reason} {refusal.__dict__}"
                assert "kanarienvogel" not in told

        self._tell_proofs(tmp_path, story)

    def test_what_is_not_verified_proves_nothing(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for mechanism in set(DIGESTS) - self.mechanisms():
                await refusal_of(authenticator, digested(BOB, mechanism))
            for mechanism in set(SCRAM) - self.mechanisms():
                if isinstance(authenticator, GivesSalts):
                    await refusal_of(
                        authenticator, (await proved(authenticator, BOB, mechanism))[0]
                    )

        self._tell_proofs(tmp_path, story)

    # ---- how

    def _served(self, mechanisms: tuple[str, ...]) -> list[str]:
        return [mechanism for mechanism in mechanisms if mechanism in self.mechanisms()]

    def _tell_proofs(
        self, directory: Path, story: Callable[[Authenticator], Awaitable[None]]
    ) -> None:
        async def told() -> None:
            async with self.authenticator(directory, ACCOUNTS) as authenticator:
                await story(authenticator)

        bounded(told())


async def proved(
    authenticator: Authenticator, account: KnownAccount, mechanism: str
) -> tuple[ScramCredentials, ScramParameters]:
    """Return what a client proves itself with by SCRAM, and what it was made with."""
    assert isinstance(authenticator, GivesSalts)
    parameters = await authenticator.salt(SaltRequest(account.name, mechanism), PEER)
    password = prepare_password(account.password)
    keys = client_keys(mechanism, password, parameters.salt, parameters.iterations)
    message = token_hex(18).encode()
    proof = Secret(client_proof(mechanism, keys.client_key, message))
    return ScramCredentials(account.name, message, proof, mechanism), parameters


def digested(account: KnownAccount, mechanism: str) -> DigestCredentials:
    """Return what a client proves itself with by APOP or CRAM-MD5."""
    challenge = f"<{token_hex(12)}@example.org>".encode()
    digest = Secret(DIGESTS[mechanism](challenge, account.password))
    return DigestCredentials(account.name, challenge, digest, mechanism)


def worthless() -> Iterator[Credentials]:
    """Yield credentials of every kind that prove nothing, for names of every kind."""
    for name in (BOB.name, GONE.name, NOBODY.name, "", "../bob@example.org", "x" * 9_000, "b\0b"):
        for mechanism in DIGESTS:
            yield DigestCredentials(name, b"<1@example.org>", Secret(bytes(16)), mechanism)
            yield DigestCredentials(name, b"", Secret(b"kanarienvogel"), mechanism)
        for mechanism in SCRAM:
            size = 20 if family(mechanism) == "SCRAM-SHA-1" else 32
            yield ScramCredentials(name, b"n=x,r=y", Secret(bytes(size)), mechanism)
            yield ScramCredentials(name, b"", Secret(b"kanarienvogel"), mechanism)
        yield TokenCredentials(name, Secret(b"kanarienvogel"), "OAUTHBEARER")
        yield CertificateCredentials(name, b"kanarienvogel")


async def refusal_of(authenticator: Authenticator, credentials: Credentials) -> Refusal:
    """Return the refusal of credentials that prove nothing."""
    try:
        identity = await authenticator.authenticate(credentials, PEER)
    except AuthenticationFailed as refusal:
        return refusal
    raise AssertionError(f"{identity.name} got in")
