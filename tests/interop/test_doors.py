"""The ways in for the suite's messages, through programs that deliver mail for a living."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from interop.conftest import needs_root
from interop.dovecot import NAME, PASSWORD, DovecotLmtp
from interop.postfix import DOMAIN, Postfix
from interop.service import HOST, MAIL_USER, Service, open_folder

from conftest import require
from serving import RESTANTE

RUN_SECONDS = 240.0
LMTPD = "/usr/lib/dovecot/lmtp"
EXACT = "1939-S-67"
"""A case that counts octets."""
LOOKS, REMOVES, NEEDS_ONE_AT_ONCE = "1939-S-71", "1939-S-51", "1939-S-47/delivery"
"""Cases that want messages whatever field they got on their way, and one that puts one in while a
session is on."""
CASES = (EXACT, LOOKS, REMOVES, NEEDS_ONE_AT_ONCE)
Ended = subprocess.CompletedProcess[str]


def examine(place: str, user: str, *words: str) -> Ended:
    """Run a few cases on a scratch maildrop."""
    cases = [word for case in CASES for word in ("--case", case)]
    kept = ("--user", user, "--password-stdin", "--scratch-maildrop", "--json")
    return subprocess.run(
        [*RESTANTE, "examine", place, *kept, *words, *cases],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def found_by(ended: Ended) -> dict[str, tuple[str, str]]:
    """Return verdict and reason of each case by its name."""
    assert ended.stderr == ""
    cases = json.loads(ended.stdout)["cases"]
    names = ["/".join(filter(None, (case["id"], case.get("variant")))) for case in cases]
    return {name: (case["verdict"], case["why"]) for name, case in zip(names, cases, strict=True)}


def assert_judged_as_changed(ended: Ended, *, at_once: str) -> None:
    """See that the octets were not judged, and what needs messages alone was."""
    found = found_by(ended)
    for name, reason in ((EXACT, "changed on the way in"), (NEEDS_ONE_AT_ONCE, at_once)):
        assert found[name][0] == "not_tried", name
        assert reason in found[name][1]
    assert (found[LOOKS][0], found[REMOVES][0]) == ("passes", "passes")


@pytest.fixture
def lmtp() -> Iterator[DovecotLmtp]:
    """A Dovecot that takes mail by LMTP and serves it by POP3."""
    require("dovecot")
    needs_root()
    require(LMTPD)
    with open_folder("lmtp") as folder, DovecotLmtp(folder) as dovecot:
        yield dovecot


@pytest.mark.parametrize("by", ["port", "socket"])
def test_messages_come_in_by_dovecots_lmtp(lmtp: DovecotLmtp, by: str) -> None:
    address = f"127.0.0.1:{lmtp.lmtp_port}" if by == "port" else f"unix:{lmtp.lmtp_socket}"
    place = f"127.0.0.1:{lmtp.port}"
    ended = examine(place, NAME, "--tls", "none", "--lmtp", address)
    assert_judged_as_changed(ended, at_once="changed on the way in")
    assert lmtp.remaining == 0


def examine_behind_postfix(recipient: str) -> tuple[Ended, int]:
    """Examine a service whose mail Postfix delivers, and count what is left of it."""
    require("postfix")
    needs_root()
    with open_folder("smtp") as folder:
        service = Service(folder / "restante", user=MAIL_USER)
        maildir = service.account("alice", PASSWORD)
        with service, Postfix(folder / "postfix", service.mail, ["alice"]) as postfix:
            place = f"{HOST}:{service.ports['implicit']}"
            way = ("--smtp", f"127.0.0.1:{postfix.port}", "--recipient", f"{recipient}@{DOMAIN}")
            ended = examine(
                place, "alice", "--ca", str(service.authority), *way, "--tls", "implicit"
            )
        return ended, sum(path.is_file() for path in maildir.glob("???/*"))


def test_messages_come_in_by_postfixs_smtp() -> None:
    ended, left = examine_behind_postfix("alice")
    assert_judged_as_changed(ended, at_once="takes its time")
    assert left == 0


def test_a_recipient_that_postfix_does_not_know_ends_the_examination() -> None:
    ended, _ = examine_behind_postfix("bob")
    assert ended.returncode not in (0, 1)
    assert "refuses" in ended.stderr
    assert "550" in ended.stderr
