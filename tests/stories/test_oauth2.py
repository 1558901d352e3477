"""Logins by tokens of a real OpenID provider, with real clients, as the how-to tells it."""

import json
import re
import socket
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import require
from identity_provider import IdentityProvider
from serving import RESTANTE, Dialogue, ServerProcess, eventually, fill

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "oauth2.md"
MESSAGE = b"Subject: Hello\n\nKept for you.\n"
BOB = "bob@example.org"
KINDS = ("jwt", "opaque")
MECHANISMS = ("OAUTHBEARER", "XOAUTH2")
RUN_SECONDS = 60.0


def blocks(language: str) -> list[str]:
    """Return the code blocks of one language in the how-to, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", HOW_TO.read_text(), re.MULTILINE | re.DOTALL)


def source(provider: IdentityProvider, kind: str) -> str:
    """Return the source that the how-to has for this kind of tokens, for this provider."""
    [wanted] = [
        block
        for block in blocks("toml")
        if ("keys_url" in block) == (kind == "jwt") and "[" in block[:1]
    ]
    text = wanted[wanted.index('[[auth.source]]\ntype = "oauth2"') :]
    for was, now in (
        ("https://id.example.org", provider.issuer),
        ("https://pop.example.org/", provider.audience),
        ("/etc/restante/oauth2-secret", str(provider.secret_file)),
    ):
        assert was in text or was.startswith("/etc")
        text = text.replace(was, now)
    return f'{text}authorities = "{provider.authorities}"\n'


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    """The provider that all of it is about."""
    with IdentityProvider(tmp_path_factory.mktemp("provider")) as running:
        yield running


class Mail(ServerProcess):
    """A server that takes tokens of one kind besides passwords."""

    def __init__(
        self,
        directory: Path,
        provider: IdentityProvider,
        kind: str,
        more: str = "",
        mechanisms: tuple[str, ...] = MECHANISMS,
    ) -> None:
        super().__init__(
            directory,
            mechanisms=[*mechanisms, "PLAIN", "USER"],
            settings=source(provider, kind) + more,
            cleartext="tls",
        )
        for name in (BOB, "alice@example.org", "unverified@example.org"):
            fill(self.account(name, "secret"), MESSAGE)

    def dialogue(self) -> Dialogue:
        return Dialogue(self.host, self.ports["implicit"], self.client_context())

    def logins(self) -> list[tuple[str, str]]:
        """Return by which mechanism who has logged in, in order."""
        return re.findall(r" login: .* mech=(\S+) .*user=(\S+)", self.log())

    def curl(self, name: str, token: str, mechanism: str) -> "subprocess.CompletedProcess[bytes]":
        """Have curl collect the first message."""
        return subprocess.run(
            [
                *(require("curl"), "-sS", "--max-time", "50", "--cacert", str(self.certificate)),
                *("--oauth2-bearer", token, "--user", f"{name}:"),
                *("--login-options", f"AUTH={mechanism}"),
                f"pop3s://localhost:{self.ports['implicit']}/1",
            ],
            capture_output=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    def reason(self, name: str, token: str) -> str:
        """Show a token that is no good, and return why it is not."""
        before = self.log().count("auth failed: ")
        done = self.curl(name, token, "OAUTHBEARER")
        assert done.returncode == 67, done.stderr  # login denied
        eventually(lambda: self.log().count("auth failed: ") > before)
        found = re.findall(r"auth failed: .* reason=(\S+) ", self.log())
        return str(found[-1])


@pytest.fixture(scope="module", params=KINDS)
def mail(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    provider: IdentityProvider,
) -> Iterator[tuple[Mail, str]]:
    """The server as the how-to sets it up for each kind of tokens."""
    kind = request.param
    with Mail(tmp_path_factory.mktemp(kind), provider, kind) as running:
        assert isinstance(running, Mail)
        yield running, kind


def test_the_configuration_stands(mail: tuple[Mail, str]) -> None:
    done = mail[0].run("config", "check")
    assert (done.returncode, done.stderr) == (0, b"")


def test_curl(provider: IdentityProvider, mail: tuple[Mail, str]) -> None:
    """conformance: 7628-S-02, 7628-S-06"""
    server, kind = mail
    _collected_by_curl(server, provider.token("bob", kind), "OAUTHBEARER")


def test_curl_where_xoauth2_is_alone(provider: IdentityProvider, tmp_path: Path) -> None:
    """curl takes OAUTHBEARER wherever it is offered.

    conformance: XOAUTH2-S-01
    """
    with Mail(tmp_path, provider, "jwt", mechanisms=("XOAUTH2",)) as server:
        assert isinstance(server, Mail)
        _collected_by_curl(server, provider.token("bob", "jwt"), "XOAUTH2")


def _collected_by_curl(server: Mail, token: str, mechanism: str) -> None:
    done = server.curl(BOB, token, mechanism)
    assert (done.returncode, done.stdout) == (0, MESSAGE.replace(b"\n", b"\r\n")), done.stderr
    eventually(lambda: server.logins()[-1:] == [(mechanism, BOB)])


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_mpop(
    provider: IdentityProvider, mail: tuple[Mail, str], tmp_path: Path, mechanism: str
) -> None:
    """conformance: 7628-S-02, 7628-S-06, XOAUTH2-S-01"""
    server, kind = mail
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "collected" / folder).mkdir(parents=True)
    (tmp_path / "token").write_text(provider.token("bob", kind))
    settings = tmp_path / "mpoprc"
    settings.write_text(
        f"account default\nhost localhost\nport {server.ports['implicit']}\ntls on\n"
        f"tls_starttls off\ntls_trust_file {server.certificate}\nuser {BOB}\n"
        f"auth {mechanism.lower()}\npasswordeval cat {tmp_path}/token\nkeep on\n"
        f"delivery maildir {tmp_path}/collected\nuidls_file {tmp_path}/uidls\n"
        "received_header off\ntimeout 30\n"
    )
    settings.chmod(0o600)
    done = subprocess.run(
        [require("mpop"), "-C", str(settings)],
        capture_output=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [collected] = (tmp_path / "collected" / "new").iterdir()
    assert collected.read_bytes() == MESSAGE
    eventually(lambda: server.logins()[-1:] == [(mechanism, BOB)])


def test_a_person_lets_a_program_in(provider: IdentityProvider, mail: tuple[Mail, str]) -> None:
    """The device flow: the program is alice's, the mail is that of whoever logged in."""
    server, kind = mail
    token = provider.token_of_a_person("alice", "bob", kind)
    assert server.curl(BOB, token, "XOAUTH2").returncode == 0
    assert server.reason("alice@example.org", token) == "authorization"


def test_auth_test_tells(provider: IdentityProvider, mail: tuple[Mail, str]) -> None:
    server, kind = mail
    [_, line] = blocks("sh")[0].splitlines()
    told = line.partition(" < ")[0].split()[1:]
    done = server.run(*told, stdin=provider.token("bob", kind).encode())
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"let in" in done.stdout
    done = server.run(*told, stdin=provider.token("alice", kind).encode())
    assert done.returncode == 1
    assert b"somebody else's" in done.stdout


def test_tokens_that_are_no_good(provider: IdentityProvider, mail: tuple[Mail, str]) -> None:
    """threats: A11

    conformance: 7628-S-06
    """
    server, kind = mail
    elsewhere = f"https://imap.example.org/{kind}"
    good = provider.token("bob", kind)
    assert server.reason(BOB, provider.token("bob", kind, scope="other")) == "token"
    assert server.reason(BOB, provider.token("bob", kind, resource=elsewhere)) == "token"
    assert server.reason("unverified@example.org", provider.token("unverified", kind)) == "token"
    assert server.reason("nobody@example.org", provider.token("nobody", kind)) == "unknown"
    assert server.reason("alice@example.org", good) == "authorization"
    assert server.reason(BOB, good[:-8] + good[-8:].swapcase()) == "token"
    assert server.curl(BOB, good, "OAUTHBEARER").returncode == 0


def test_a_client_is_told_where_tokens_are_to_be_had(
    provider: IdentityProvider, mail: tuple[Mail, str]
) -> None:
    """conformance: 7628-S-04"""
    server, kind = mail
    with server.dialogue() as dialogue:
        reply = dialogue.say(b"AUTH OAUTHBEARER", b64encode(b"n,,\1auth=Bearer x.y.z\1\1"))
        told = json.loads(b64decode(reply.removeprefix(b"+ ")))
        assert (told["status"], told["scope"]) == ("invalid_token", "mail")
        if kind == "jwt":
            # As the provider itself has it, and where it really is.
            assert told["openid-configuration"] == provider.discovery()
        assert dialogue.say(b64encode(b"\1")).startswith(b"-ERR [AUTH] ")


def test_nothing_of_a_token_is_logged(provider: IdentityProvider, mail: tuple[Mail, str]) -> None:
    server, kind = mail
    token = provider.token("bob", kind)
    assert server.curl(BOB, token, "XOAUTH2").returncode == 0
    assert server.reason("alice@example.org", token) == "authorization"
    assert token[:20] not in server.log()


def test_a_revoked_token_is_remembered_no_longer_than_told(
    provider: IdentityProvider, tmp_path: Path
) -> None:
    with Mail(tmp_path, provider, "opaque", "cache_seconds = 0\n") as server:
        assert isinstance(server, Mail)
        token = provider.token("bob", "opaque")
        assert server.curl(BOB, token, "OAUTHBEARER").returncode == 0
        provider.revoke("bob", token)
        assert server.reason(BOB, token) == "token"


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_ends(tmp_path: Path, kind: str) -> None:
    """threats: A11"""
    with (
        IdentityProvider(tmp_path / "provider") as own,
        Mail(tmp_path / "mail", own, kind, "cache_seconds = 0\n") as server,
    ):
        assert isinstance(server, Mail)
        first, second = (own.token("bob", kind) for _ in range(2))
        assert server.curl(BOB, first, "OAUTHBEARER").returncode == 0
        own.stop()
        done = server.curl(BOB, second, "XOAUTH2")
        if kind == "jwt":  # the keys are here
            assert done.returncode == 0, done.stderr
        else:
            assert done.returncode != 0
            with server.dialogue() as dialogue:
                message = f"user={BOB}\1auth=Bearer {second}\1\1".encode()
                reply = dialogue.say(b"AUTH XOAUTH2", b64encode(message))
                assert reply.startswith(b"-ERR [SYS/TEMP] ")
            eventually(lambda: "introspection: no connection" in server.log())
        with server.dialogue() as dialogue:
            assert dialogue.log_in(BOB, "secret").startswith(b"+OK")


def test_a_provider_that_hangs(tmp_path: Path) -> None:
    """threats: A11"""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        (tmp_path / "secret").write_text("x")
        settings = (
            '[[auth.source]]\ntype = "oauth2"\n[auth.source.oauth2]\n'
            f'introspection_url = "http://127.0.0.1:{silent.getsockname()[1]}/"\n'
            f'client_id = "pop"\nclient_secret_file = "{tmp_path}/secret"\ndeadline_seconds = 4\n'
        )
        offered = [*MECHANISMS, "USER"]
        with ServerProcess(
            tmp_path / "mail", mechanisms=offered, settings=settings, cleartext="tls"
        ) as server:
            fill(server.account(BOB, "secret"), MESSAGE)
            port, context = server.ports["implicit"], server.client_context()
            waiting = [Dialogue(server.host, port, context) for _ in range(20)]
            for number, dialogue in enumerate(waiting):
                message = b64encode(f"user={BOB}\1auth=Bearer t{number}\1\1".encode())
                dialogue.socket.sendall(b"AUTH XOAUTH2 " + message + b"\r\n")
            silent.settimeout(30)
            asked, _ = silent.accept()  # so they are being looked into
            with Dialogue(server.host, port, context) as dialogue:
                assert dialogue.log_in(BOB, "secret").startswith(b"+OK")
            assert "auth unavailable" not in server.log()
            for dialogue in waiting:
                assert dialogue.line().startswith(b"-ERR [SYS/TEMP] ")
                dialogue.close()
            asked.close()
            eventually(lambda: server.log().count("introspection: no answer in time") == 20)


def test_the_settings_of_the_how_to_are_settings(tmp_path: Path) -> None:
    """Each block of the how-to stands as it is, as far as a file alone can tell."""
    ways = [block for block in blocks("toml") if "[[auth.source]]" in block]
    [claim] = [block for block in blocks("toml") if block not in ways]
    assert len(ways) == 2
    for way in ways:
        way = way.replace("[auth]\n", '[auth]\ncleartext = "always"\n')
        file = tmp_path / "restante.toml"
        file.write_text(f'[[listener]]\naddress = "127.0.0.1:0"\ntls = "none"\n{way}{claim}')
        shown = subprocess.run(
            [*RESTANTE, "config", "show", "--config", str(file)],
            capture_output=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert (shown.returncode, shown.stderr) == (0, b"")
        assert claim.encode() in shown.stdout
