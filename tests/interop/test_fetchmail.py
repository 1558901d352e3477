"""fetchmail, which hands every message to a program of the user's own."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop import programs
from interop.all_mechanisms import AllMechanisms
from interop.conftest import Mailbox, NewMailbox
from interop.messages import HARD, LONG_LINE, Message, corpus
from interop.record import Peer, departs
from interop.service import HOST, Service, open_folder

from conftest import require
from serving import ServerProcess

PEER = Peer("fetchmail", "client", "fetchmail")

WAYS = {
    "in clear": ("none", 'sslproto ""'),
    "STLS": ("stls", 'sslproto "TLS1.2+" sslcertck sslcertfile "{authority}"'),
    "implicit TLS": ("implicit", 'ssl sslproto "TLS1.2+" sslcertck sslcertfile "{authority}"'),
}
EVERY_WAY = pytest.mark.parametrize("way", WAYS)
DONE = 0
NO_MAIL = 1
FIELDS = rb"(?:[!-9;-~]+:[^\r\0]*(?:\r\n[ \t][^\r\0]*)*(?:\r\n|\Z))+"
PIECE_OCTETS = 8_191


@dataclass(frozen=True, slots=True)
class Fetchmail:
    """fetchmail with one account, handing over to a script below its home."""

    service: Service
    mailbox: Mailbox
    home: Path

    @property
    def folder(self) -> Path:
        """Return where the script writes what it is handed."""
        return self.home / "collected"

    def configure(
        self, way: str, options: str, *, invisible: bool = True, authority: Path | None = None
    ) -> None:
        """Write its configuration and the script."""
        listener, tls = WAYS[way]
        self.folder.mkdir(exist_ok=True)
        script = self.home / "deliver"
        script.write_text(f'#!/bin/sh\nexec cat >"{self.folder}/$$"\n')
        script.chmod(0o755)
        # It adds nothing where it is invisible, and takes lines that are no header for one.
        file = self.home / "fetchmailrc"
        file.write_text(
            "set no bouncemail\n"
            f"{'set invisible' if invisible else ''}\n"
            f"poll {HOST} protocol POP3 service {self.service.ports[listener]} timeout 30 uidl "
            "bad-header accept:\n"
            f'user "{self.mailbox.name}" there with password "{self.mailbox.password}" is root '
            f"here {tls.format(authority=authority or self.service.authority)}\n"
            f'{options} no rewrite no forcecr no dropstatus mda "{script}"\n'
        )
        file.chmod(0o700)

    def __call__(self, *options: str) -> tuple[int, str]:
        """Run fetchmail and return its status and what it said."""
        done = programs.run(
            *(require("fetchmail"), "-f", str(self.home / "fetchmailrc"), "--nosyslog"),
            *("-i", str(self.home / "ids"), "--pidfile", str(self.home / "pid"), *options),
            home=self.home,
            environment={"FETCHMAILHOME": str(self.home)},
        )
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def collected(self) -> list[bytes]:
        """Return what the script was handed, in no order that matters."""
        # What this machine is called depends on its resolver.
        return sorted(
            re.sub(rb"\A(From: FETCHMAIL-DAEMON\nTo: root@)[^\n]*", rb"\1here", path.read_bytes())
            for path in self.folder.iterdir()
        )


def as_handed_over(message: Message, mailbox: Mailbox) -> bytes:
    """Return a message as fetchmail hands it over; its departures stand at the tests."""
    lines = re.sub(rb"\AFrom [^\n]*\n", b"", message.wire).replace(b"\r", b"").split(b"\n")[:-1]
    header: list[bytes] = []
    while lines:
        line = lines.pop(0).replace(b"\0", b"")
        if not line:
            break
        header.append(b"." + line if header and line.startswith(b".") else line)
    if not header:
        header = [
            b"From: FETCHMAIL-DAEMON",
            b"To: root@here",
            f"Subject: Headerless mail from {mailbox.name}'s mailbox on {HOST}".encode(),
        ]
    return b"".join(line + b"\n" for line in (*header, b"", *lines))


def is_mail(message: Message) -> bool:
    """Say whether a message is mail as RFC 5322 has it: fields, a blank line, no CR alone."""
    header, blank, _ = message.wire.partition(b"\r\n\r\n")
    return (
        bool(blank)
        and re.fullmatch(rb"(?:[!-9;-~]+:[^\r\0]*(?:\r\n[ \t][^\r\0]*)*(?:\r\n|\Z))+", header)
        is not None
        and re.search(rb"\r(?!\n)", message.wire) is None
    )


@EVERY_WAY
@departs(
    "Messages are handed over with LF for CRLF, and without any other CR.",
    "A first line that begins with `From ` is dropped.",
    "In the header, NULs are dropped; the stuffing of a line that begins with a dot is kept; a "
    "header without a blank line gets one, and a message without a header gets one of fetchmail's.",
)
def test_keep(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """Every message, once, but the line of 10 MB; they stay on the server, and the next run takes
    none.
    """
    mailbox = new_mailbox(corpus()[:-1])
    fetchmail = Fetchmail(service, mailbox, tmp_path)
    fetchmail.configure(way, "keep")
    assert fetchmail()[0] == DONE
    assert fetchmail.collected() == sorted(as_handed_over(m, mailbox) for m in mailbox.messages)
    assert mailbox.remaining == len(mailbox.messages)
    assert fetchmail()[0] == NO_MAIL
    assert len(fetchmail.collected()) == len(mailbox.messages)


def test_mail_arrives_as_it_is(service: Service, new_mailbox: NewMailbox, tmp_path: Path) -> None:
    """Every message that is mail by RFC 5322, octet for octet but for the line ends."""
    mail = tuple(message for message in corpus()[:-1] if is_mail(message))
    assert len(mail) > len(corpus()) // 2
    mailbox = new_mailbox(mail)
    fetchmail = Fetchmail(service, mailbox, tmp_path)
    fetchmail.configure("implicit TLS", "keep")
    assert fetchmail()[0] == DONE
    assert fetchmail.collected() == sorted(m.wire.replace(b"\r\n", b"\n") for m in mail)


@EVERY_WAY
def test_delete(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """Every message but the line of 10 MB, removed from the server when the user's program has
    taken it.
    """
    mailbox = new_mailbox(corpus()[:-1])
    fetchmail = Fetchmail(service, mailbox, tmp_path)
    fetchmail.configure(way, "nokeep")
    assert fetchmail()[0] == DONE
    assert fetchmail.collected() == sorted(as_handed_over(m, mailbox) for m in mailbox.messages)
    assert mailbox.remaining == 0


@departs("A line of the body beyond 8,191 octets arrives in pieces, with other octets between.")
def test_long_line(service: Service, new_mailbox: NewMailbox, tmp_path: Path) -> None:
    """A message with a line of 10 MB."""
    fetchmail = Fetchmail(service, new_mailbox((LONG_LINE,)), tmp_path)
    fetchmail.configure("implicit TLS", "keep")
    assert fetchmail()[0] == DONE
    (collected,) = fetchmail.collected()
    before, _, line = LONG_LINE.wire.replace(b"\r\n", b"\n").partition(b"before\n")
    pieces = collected.removeprefix(before + b"before\n").removesuffix(b"after\n").split(b"\n")
    assert b"".join(piece[:PIECE_OCTETS] for piece in pieces) == line.removesuffix(b"\nafter\n")


def test_a_refusing_program(service: Service, new_mailbox: NewMailbox, tmp_path: Path) -> None:
    """What the user's program does not take stays on the server."""
    mailbox = new_mailbox(HARD[:3])
    fetchmail = Fetchmail(service, mailbox, tmp_path)
    fetchmail.configure("implicit TLS", "nokeep")
    # The status of a temporary failure, by sysexits.h.
    (tmp_path / "deliver").write_text("#!/bin/sh\ncat >/dev/null\nexit 75\n")
    fetchmail()
    assert mailbox.remaining == 3


@EVERY_WAY
def test_check(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """`--check` tells what waits and takes nothing."""
    mailbox = new_mailbox(HARD[:3])
    fetchmail = Fetchmail(service, mailbox, tmp_path)
    fetchmail.configure(way, "nokeep")
    status, said = fetchmail("--check")
    assert status == DONE
    assert "3 messages" in said
    assert fetchmail.collected() == []
    assert mailbox.remaining == 3


@departs("A Received line is put into the header, unless it is `invisible`.")
def test_received(service: Service, new_mailbox: NewMailbox, tmp_path: Path) -> None:
    """A message with the line that says where it was collected."""
    mailbox = new_mailbox(HARD[:1])
    fetchmail = Fetchmail(service, mailbox, tmp_path)
    fetchmail.configure("STLS", "keep", invisible=False)
    fetchmail()
    (collected,) = fetchmail.collected()
    assert collected.startswith(b"Received: from localhost ")
    assert collected.endswith(as_handed_over(HARD[0], mailbox))


@departs("A certificate without a common name is refused, whatever other names it has.")
def test_no_common_name(service: Service, new_mailbox: NewMailbox, tmp_path: Path) -> None:
    """A server whose certificate has its name where RFC 6125 wants it, and nowhere else."""
    with open_folder("interop") as folder, ServerProcess(folder) as nameless:
        fetchmail = Fetchmail(service, new_mailbox(HARD[:1]), tmp_path)
        fetchmail.configure("implicit TLS", "keep", authority=nameless.certificate)
        file = tmp_path / "fetchmailrc"
        ours, theirs = (str(server.ports["implicit"]) for server in (service, nameless))
        file.write_text(file.read_text().replace(ours, theirs))
        status, said = fetchmail()
    assert status not in (DONE, NO_MAIL)
    assert "Server name not specified in certificate" in said


@pytest.mark.parametrize("way", ["STLS", "implicit TLS"])
def test_stranger(service: Service, new_mailbox: NewMailbox, tmp_path: Path, way: str) -> None:
    """A certificate of an authority that is not trusted ends the session before the login."""
    mailbox = new_mailbox(HARD[:1])
    fetchmail = Fetchmail(service, mailbox, tmp_path)
    fetchmail.configure(way, "nokeep", authority=service.stranger)
    status, said = fetchmail()
    assert status not in (DONE, NO_MAIL)
    assert "certificate verify failed" in said
    assert mailbox.remaining == 1


@pytest.mark.parametrize(
    ("protocol", "mechanism"),
    [("POP3 auth cram-md5", "CRAM-MD5"), ("POP3 auth password", "USER"), ("APOP", "APOP")],
)
def test_every_mechanism(
    all_mechanisms: AllMechanisms,
    new_mailbox: NewMailbox,
    tmp_path: Path,
    protocol: str,
    mechanism: str,
) -> None:
    """Every way to log in that both know, under TLS."""
    mailbox = new_mailbox(HARD[:1], of=all_mechanisms)
    fetchmail = Fetchmail(all_mechanisms, mailbox, tmp_path)
    fetchmail.configure("implicit TLS", "keep")
    file = tmp_path / "fetchmailrc"
    file.write_text(file.read_text().replace("protocol POP3", f"protocol {protocol}"))
    status, said = fetchmail()
    assert status == DONE, said
    assert len(fetchmail.collected()) == 1
    assert all_mechanisms.ways_in(mailbox.name) == [mechanism]
