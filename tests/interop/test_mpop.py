"""mpop, which delivers into a Maildir and remembers unique-ids."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from interop import maildirs, programs
from interop.all_mechanisms import AllMechanisms
from interop.conftest import Mailbox, NewMailbox
from interop.messages import HARD, Message
from interop.record import Peer, departs
from interop.service import HOST, Service

from conftest import require

PEER = Peer("mpop", "client", "mpop")

WAYS = {
    "in clear": ("none", "tls off"),
    "STLS": ("stls", "tls on\ntls_starttls on"),
    "implicit TLS": ("implicit", "tls on\ntls_starttls off"),
}
EVERY_WAY = pytest.mark.parametrize("way", WAYS)
NOTHING_TO_DO = b"no messages"


@dataclass(frozen=True, slots=True)
class Mpop:
    """mpop with one account, delivering below its home."""

    service: Service
    mailbox: Mailbox
    home: Path

    @property
    def maildir(self) -> Path:
        """Return where it delivers."""
        return self.home / "collected"

    def configure(self, way: str, *settings: str, authority: Path | None = None) -> None:
        """Write its configuration, and the Maildir that has to be there."""
        listener, tls = WAYS[way]
        maildirs.make(self.maildir)
        file = self.home / "mpoprc"
        file.write_text(
            f"account default\nhost {HOST}\nport {self.service.ports[listener]}\n{tls}\n"
            f"tls_trust_file {authority or self.service.authority}\n"
            f"user {self.mailbox.name}\npassword {self.mailbox.password}\n"
            f"delivery maildir {self.maildir}\nuidls_file {self.home / 'uidls'}\ntimeout 30\n"
            + "".join(f"{setting}\n" for setting in settings)
        )
        file.chmod(0o600)

    def __call__(self, *options: str) -> bytes:
        """Run mpop, which has to succeed, and return what it printed."""
        return programs.succeed(
            require("mpop"), "-C", self.home / "mpoprc", *options, home=self.home
        )

    def collected(self) -> list[bytes]:
        """Return what it has collected, in no order that matters."""
        return sorted(maildirs.collected(self.maildir))


def stored_with_lf(messages: tuple[Message, ...]) -> list[bytes]:
    """Return what mpop stores of messages."""
    return sorted(message.wire.replace(b"\r\n", b"\n") for message in messages)


@pytest.mark.parametrize("pipelining", ["on", "off"], ids=["pipelined", "one by one"])
@EVERY_WAY
@departs("Messages are stored with LF for CRLF.")
def test_keep(
    service: Service, mailbox: Mailbox, tmp_path: Path, way: str, pipelining: str
) -> None:
    """Every message, once; they stay on the server, and the next run takes none."""
    mpop = Mpop(service, mailbox, tmp_path)
    mpop.configure(way, "keep on", "received_header off", "auth user", f"pipelining {pipelining}")
    mpop()
    assert mpop.collected() == stored_with_lf(mailbox.messages)
    assert mailbox.remaining == len(mailbox.messages)
    mpop()
    assert len(mpop.collected()) == len(mailbox.messages)


@EVERY_WAY
def test_delete(service: Service, mailbox: Mailbox, tmp_path: Path, way: str) -> None:
    """Every message, removed from the server when it was delivered."""
    mpop = Mpop(service, mailbox, tmp_path)
    mpop.configure(way, "keep off", "received_header off", "auth plain")
    mpop()
    assert mpop.collected() == stored_with_lf(mailbox.messages)
    assert mailbox.remaining == 0


@pytest.mark.parametrize("method", ["user", "plain"], ids=["USER and PASS", "SASL PLAIN"])
@EVERY_WAY
def test_methods(
    service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str, method: str
) -> None:
    """Login by each method, telling the mail that waits."""
    mailbox = new_mailbox(HARD[:3])
    mpop = Mpop(service, mailbox, tmp_path)
    mpop.configure(way, f"auth {method}")
    assert b"new: 3 messages" in mpop("--status-only")
    assert mailbox.remaining == 3


@departs("A Received line is put before each message, unless it is told not to.")
def test_received(service: Service, new_mailbox: NewMailbox, tmp_path: Path) -> None:
    """A message with the line that says where it was collected."""
    mpop = Mpop(service, new_mailbox(HARD[:1]), tmp_path)
    mpop.configure("implicit TLS")
    mpop()
    (collected,) = mpop.collected()
    assert collected.startswith(b"Received: from localhost ")
    assert collected.endswith(b"\nFrom: " + stored_with_lf(HARD[:1])[0].partition(b"From: ")[2])


@EVERY_WAY
def test_server_information(
    service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str
) -> None:
    """CAPA, as mpop reads it."""
    mpop = Mpop(service, new_mailbox(()), tmp_path)
    mpop.configure(way)
    told = mpop("--serverinfo")
    for capability in (b"PIPELINING", b"TOP", b"UIDL", b"AUTH", b"EXPIRE NEVER"):
        assert capability in told, told


@pytest.mark.parametrize("way", ["STLS", "implicit TLS"])
def test_stranger(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """A certificate of an authority that is not trusted ends the session before the login."""
    mpop = Mpop(service, new_mailbox(HARD[:1]), tmp_path)
    mpop.configure(way, authority=service.stranger)
    done = programs.run(require("mpop"), "-C", tmp_path / "mpoprc", home=tmp_path)
    assert done.returncode != 0
    assert b"certificate" in done.stderr
    assert mpop.collected() == []


@pytest.mark.parametrize(
    "mechanism",
    ["user", "apop", "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256"],
)
def test_every_mechanism(
    all_mechanisms: AllMechanisms, new_mailbox: NewMailbox, tmp_path: Path, mechanism: str
) -> None:
    """Every way to log in that both know, under TLS."""
    mailbox = new_mailbox(HARD[:2], of=all_mechanisms)
    mpop = Mpop(all_mechanisms, mailbox, tmp_path)
    mpop.configure("implicit TLS", "keep on", "received_header off", f"auth {mechanism}")
    mpop()
    assert mpop.collected() == stored_with_lf(mailbox.messages)
    assert all_mechanisms.ways_in(mailbox.name) == [mechanism.upper()]


def test_a_client_certificate(
    all_mechanisms: AllMechanisms, new_mailbox: NewMailbox, tmp_path: Path
) -> None:
    """EXTERNAL, by a certificate and without a password."""
    mailbox = new_mailbox(HARD[:2], of=all_mechanisms)
    certificate, key = all_mechanisms.client_certificate(mailbox.name, tmp_path)
    mpop = Mpop(all_mechanisms, mailbox, tmp_path)
    settings = f"tls_cert_file {certificate}", f"tls_key_file {key}", "auth external"
    mpop.configure("implicit TLS", "keep on", "received_header off", *settings)
    mpop()
    assert mpop.collected() == stored_with_lf(mailbox.messages)
    assert all_mechanisms.ways_in(mailbox.name) == ["EXTERNAL"]


@pytest.mark.parametrize("mechanism", ["apop", "cram-md5", "scram-sha-1", "scram-sha-256"])
def test_a_wrong_password_proves_nothing(
    all_mechanisms: AllMechanisms, new_mailbox: NewMailbox, tmp_path: Path, mechanism: str
) -> None:
    """A wrong password, by mechanisms that do not send it."""
    mailbox = replace(new_mailbox(HARD[:1], of=all_mechanisms), password="wrong")
    mpop = Mpop(all_mechanisms, mailbox, tmp_path)
    mpop.configure("implicit TLS", "keep on", f"auth {mechanism}")
    refused = programs.run(require("mpop"), "-C", tmp_path / "mpoprc", home=tmp_path)
    assert refused.returncode != 0
    assert mpop.collected() == []
    assert all_mechanisms.ways_in(mailbox.name) == []
