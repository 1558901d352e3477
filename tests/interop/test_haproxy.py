"""HAProxy, which stands before the server and says whom it comes for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.conftest import Mailbox, NewMailbox
from interop.haproxy import Haproxy, Way
from interop.messages import HARD
from interop.record import Peer
from interop.service import Service, open_folder

from serving import Dialogue, eventually

PEER = Peer("HAProxy", "proxy", "haproxy")

CLIENT = "127.0.0.3"
EVERYTHING = "proxy-v2-options crc32c,unique-id,authority,ssl,cert-cn,ssl-cipher,cert-sig,cert-key"
EXPECT = ("tcp-check expect rstring ^\\+OK", "tcp-check send QUIT\\r\\n")


def ways(folder: Path, authority: Path) -> dict[str, Way]:
    """Return every way through it that is tried; `folder` has its certificate."""
    own = f"ssl crt {folder / 'proxy.pem'}"
    anew = f"ssl verify required ca-file {authority} sni str(localhost)"
    return {
        "version 1": Way("send-proxy", "none"),
        "version 2": Way("send-proxy-v2", "none"),
        "version 2 with everything": Way(f"send-proxy-v2 {EVERYTHING}", "none"),
        "version 1 and TLS": Way("send-proxy", "implicit"),
        "version 2 and TLS": Way("send-proxy-v2", "implicit"),
        "version 1 and STLS": Way("send-proxy", "stls"),
        "version 2 and STLS": Way("send-proxy-v2", "stls"),
        "version 1 and TLS anew": Way(f"send-proxy {anew}", "implicit", own),
        "version 2 and TLS anew": Way(f"send-proxy-v2-ssl {anew}", "implicit", own),
        "version 2 behind TLS": Way("send-proxy-v2-ssl", "none", own),
        "version 2 with everything behind TLS": Way(
            f"send-proxy-v2-ssl-cn {EVERYTHING}", "none", own
        ),
        "version 1 of IPv6": Way("send-proxy", "none", host="::1"),
        "version 2 of IPv6": Way("send-proxy-v2", "none", host="::1"),
    }


def checks(authority: Path) -> dict[str, Way]:
    """Return every kind of health check that is tried."""
    often = "check inter 50 rise 4"
    anew = f"ssl verify required ca-file {authority}"
    header = ("option tcp-check", "tcp-check connect send-proxy", *EXPECT)
    header_and_tls = ("option tcp-check", "tcp-check connect send-proxy ssl", *EXPECT)
    return {
        "the port opens": Way(often, "none"),
        "the port of implicit TLS opens": Way(often, "implicit"),
        "a header of version 1": Way(f"send-proxy {often}", "none"),
        "a header of version 2": Way(f"send-proxy-v2 {often}", "none"),
        "a header of version 1 to implicit TLS": Way(
            f"send-proxy check-send-proxy {often}", "implicit"
        ),
        "a header of version 2 to implicit TLS": Way(
            f"send-proxy-v2 check-send-proxy {often}", "implicit"
        ),
        "a header of version 2 and a handshake": Way(f"send-proxy-v2 {anew} {often}", "implicit"),
        "a header of version 1 and the greeting": Way(f"send-proxy {often}", "none", checks=header),
        "a header of version 2 and the greeting": Way(
            f"send-proxy-v2 {often}", "stls", checks=header
        ),
        "a header of version 1 and the greeting under TLS": Way(
            f"send-proxy {anew} {often}", "implicit", checks=header_and_tls
        ),
        "a header of version 2 and the greeting under TLS": Way(
            f"send-proxy-v2 {anew} {often}", "implicit", checks=header_and_tls
        ),
    }


NOWHERE = Path("/")
WAYS, CHECKS = ways(NOWHERE, NOWHERE), checks(NOWHERE)


@pytest.fixture(scope="module")
def behind() -> Iterator[Service]:
    """A service that believes what comes from 127.0.0.1."""
    with open_folder("haproxy") as folder, Service(folder, proxies=["127.0.0.1"]) as running:
        assert isinstance(running, Service)
        yield running


@pytest.fixture(scope="module")
def haproxy(behind: Service) -> Iterator[Haproxy]:
    """A HAProxy before it, with the certificate of the service where it needs one."""
    with open_folder("haproxy") as folder:
        certificate = folder / "proxy.pem"
        certificate.write_bytes(behind.certificate.read_bytes() + behind.private_key.read_bytes())
        certificate.chmod(0o600)
        every = ways(folder, behind.authority) | checks(behind.authority)
        with Haproxy(folder, every, behind.ports) as running:
            yield running


def connect(haproxy: Haproxy, behind: Service, way: str) -> Dialogue:
    """Begin a session through it, under TLS where that is the way."""
    host = WAYS[way].host
    stls, clear = WAYS[way].listener == "stls", "TLS" not in way
    context = behind.verifying_context()
    source = CLIENT if host == "127.0.0.1" else None
    client = Dialogue(host, haproxy.ports[way], None if stls or clear else context, source=source)
    if stls:
        assert client.say(b"STLS").startswith(b"+OK")
        client.secure(context)
    return client


def sessions(behind: Service, mailbox: Mailbox) -> list[dict[str, object]]:
    """Return what `who` tells of the sessions of an account."""
    told = behind.control("who")["sessions"]
    assert isinstance(told, list)
    return [session for session in told if session["account"] == mailbox.name]


@pytest.mark.parametrize("way", WAYS)
def test_addresses(haproxy: Haproxy, behind: Service, new_mailbox: NewMailbox, way: str) -> None:
    """The client's own address and port in `who` and in the log, and where it came to."""
    mailbox = new_mailbox(HARD, behind)
    with connect(haproxy, behind, way) as client:
        address, port = client.socket.getsockname()[:2]
        assert client.log_in(mailbox.name, mailbox.password).startswith(b"+OK")
        (session,) = sessions(behind, mailbox)
        assert (session["address"], session["port"]) == (address, port)
        assert session["local_port"] == haproxy.ports[way]
        assert (session["tls"] is None) == (WAYS[way].listener == "none")
        octets = sum(len(message.wire) for message in mailbox.messages)
        assert client.say(b"STAT") == f"+OK {len(mailbox.messages)} {octets}".encode()
        assert client.say(b"QUIT") == b"+OK goodbye"
    line = f": login: rip={address} rport={port} lip={session['local_address']} "
    eventually(lambda: line in behind.log())


@pytest.mark.parametrize("check", CHECKS)
def test_health_checks(haproxy: Haproxy, behind: Service, check: str) -> None:
    """Health checks, which find the server up and leave no line in the log."""
    result = haproxy.wait_for_checks(check)
    wanted = (
        "L7OK" if CHECKS[check].checks else "L6OK" if " ssl " in CHECKS[check].server else "L4OK"
    )
    assert result.removeprefix("* ") == wanted
    for event in ("connection ended", "connection refused", "proxy refused", "tls failed", "fault"):
        assert f": {event}: " not in behind.log()
