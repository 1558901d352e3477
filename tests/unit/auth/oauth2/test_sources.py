"""Sources of tokens as the settings name them, judged with the accounts there are."""

import json
import time
from pathlib import Path

from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.oauth2.introspection import IntrospectionSource
from restante.auth.oauth2.jwt import JwtSource
from restante.auth.oauth2.options import OAuth2Options
from restante.auth.oauth2.sources import make_source
from restante.auth.options import AuthOptions, SourceOptions
from restante.errors import AuthenticationFailed
from restante.identity import PasswordCredentials, TokenCredentials
from restante.secret import Secret
from restante.telemetry import RecordingLog
from unit.auth.oauth2.issuer import EC, hangs, key_set, local, provider, remote, signed
from unit.auth.scene import CHEAP, NO_THROTTLE, PEER, run


def test_each_way_has_its_source(tmp_path: Path) -> None:
    url = "https://id.example.org/x"
    fetched = OAuth2Options(keys_url=url, issuer="x", audience=("x",))
    for options, kind in (
        (local(tmp_path), JwtSource),
        (fetched, JwtSource),
        (remote(url, tmp_path), IntrospectionSource),
    ):
        source = make_source(options, "", time.monotonic, time.time)
        assert isinstance(source, kind)
        run(source.close())


def shown(token: Secret, name: str = "") -> TokenCredentials:
    return TokenCredentials(name, token, "OAUTHBEARER")


def test_a_token_proves_an_account_and_no_more(tmp_path: Path) -> None:
    """conformance: 7628-S-06"""
    keys, passwords = tmp_path / "keys.json", tmp_path / "passwd"
    keys.write_text(json.dumps(key_set(EC)))
    passwords.write_text("bob@example.org:{PLAIN}secret::::/mail/bob\n")

    async def story() -> list[str]:
        sources = (
            SourceOptions(type="passwd-file", path=passwords),
            SourceOptions(type="oauth2", oauth2=local(keys)),
        )
        options = AuthOptions(
            state_directory=tmp_path, sources=sources, hashing=CHEAP, throttle=NO_THROTTLE
        )
        authenticator = InProcessAuthenticator(options, RecordingLog())
        soon = {"exp": time.time() + 300, "iat": None}
        eves = {"email": "eve@example.org"}
        found = []
        for asked in (
            shown(signed(soon)),
            shown(signed(soon), "bob@example.org"),
            shown(signed(soon), "eve@example.org"),
            shown(signed(soon | eves)),
            shown(signed({"exp": 1})),
        ):
            try:
                identity = await authenticator.authenticate(asked, PEER)
            except AuthenticationFailed as error:
                found.append(str(error.reason))
            else:
                found.append(f"{identity.name} {identity.source}")
        await authenticator.close()
        return found

    bob = "bob@example.org passwd-file"
    assert run(story()) == [bob, bob, "authorization", "unknown", "token"]


def test_passwords_do_not_wait_for_an_issuer_that_hangs(tmp_path: Path) -> None:
    """threats: A11"""
    secret, passwords = tmp_path / "secret", tmp_path / "passwd"
    secret.write_text("x")
    passwords.write_text("bob@example.org:{PLAIN}secret\n")

    async def story() -> None:
        import asyncio

        async with provider(hangs) as one:
            sources = (
                SourceOptions(type="oauth2", oauth2=remote(one.url, secret, deadline_seconds=20)),
                SourceOptions(type="passwd-file", path=passwords),
            )
            options = AuthOptions(
                state_directory=tmp_path, sources=sources, hashing=CHEAP, throttle=NO_THROTTLE
            )
            authenticator = InProcessAuthenticator(options, RecordingLog())
            waiting = [
                asyncio.ensure_future(
                    authenticator.authenticate(shown(Secret(b"%d" % number)), PEER)
                )
                for number in range(200)
            ]
            while len(one.asked) < 16:
                await asyncio.sleep(0)
            asked = PasswordCredentials("bob@example.org", Secret(b"secret"), "PLAIN")
            assert (await authenticator.authenticate(asked, PEER)).name == "bob@example.org"
            assert not any(each.done() for each in waiting)
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await authenticator.close()

    run(story())
