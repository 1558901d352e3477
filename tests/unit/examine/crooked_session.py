"""The dialogue of the crooked server: honest but for the faults it is told."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import socket
import time
from typing import TYPE_CHECKING

from restante.examine.target import Endpoint, Tls
from unit.examine.crooked_clock import patience
from unit.examine.crooked_proofs import BEARERS, OTHERS, Proofs
from unit.examine.crooked_texts import prepared, without_prohibited
from unit.examine.crooked_tls import (
    HANDSHAKE_FAILURE,
    agree_to_anything,
    objection,
    peeked,
    turn_away,
)

if TYPE_CHECKING:
    from unit.examine.crooked import CrookedServer

LINE_LIMIT = 16384
ALIKE = "[AUTH] no"


class Session(Proofs):
    """One connection, its state and its marks."""

    def __init__(self, server: CrookedServer, connection: socket.socket, endpoint: Endpoint):
        super().__init__()
        self.server = server
        self.faults = server.faults
        self.endpoint = endpoint
        self.socket = connection
        self.buffer = b""
        self.tls = False
        self.hello = b""
        self.user: str | None = None
        self.bad = 0
        self.failed = False
        self.timestamp = ""
        self.server_offers_texts = self.offers_more()
        self.heard_at = server.clock.now()
        self.busy = False

    def run(self) -> None:
        """Serve until the client goes."""
        if "mute" in self.faults:
            return
        implicit = self.endpoint.tls is Tls.IMPLICIT and "no-tls" not in self.faults
        if implicit and not self.start_tls():
            return
        greeting = "POP3 server ready"
        if self.offers_more():
            self.timestamp = self.new_timestamp()
            greeting += f" {self.timestamp}"
        if "timestamp" in self.faults:
            greeting = "<stray ready"
        self.say("+OK " + greeting if "rude" not in self.faults else "-ERR busy")
        if "chatty" in self.faults:
            self.say("+OK there is more")
        while (line := self.line()) is not None:
            self.heard(busy=True)
            if not self.obey(line):
                return

    def offers_more(self) -> bool:
        """Tell whether there is more than RFC 1939 and PLAIN ask for."""
        return "offers-little" not in self.faults

    def end(self) -> None:
        """Give everything back; without QUIT nothing is removed."""
        if self.mailbox is not None:
            if "update-on-abort" in self.faults:
                self.remove()
            if "keeps-lock" not in self.faults:
                self.mailbox.lock.release()
            self.mailbox = None
        with contextlib.suppress(OSError, ValueError):
            if self.tls and "no-close-notify" not in self.faults:
                self.socket.settimeout(0.2)
                self.socket.unwrap()  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        self.socket.close()

    def heard(self, *, busy: bool) -> None:
        """Take the time, at a command and at its reply."""
        if "one-timer" not in self.faults or self.mailbox is None:
            self.heard_at = self.server.clock.now()
        self.busy = busy

    def look_at_clock(self, now: float) -> None:
        """Close where nothing was said for too long; a reply that is being read is no silence."""
        limit = patience(self.faults, logged_in=self.mailbox is not None)
        if self.busy or now - self.heard_at < limit:
            return
        with contextlib.suppress(OSError):
            if "says-goodbye" in self.faults:
                self.socket.sendall(b"-ERR too late\r\n")
            self.socket.shutdown(socket.SHUT_RDWR)

    # --- octets -------------------------------------------------------------------------------

    def line(self) -> bytes | None:
        """Return the next line without its end, or None at the end."""
        while b"\n" not in self.buffer:
            if len(self.buffer) > LINE_LIMIT and "endless-lines" not in self.faults:
                self.say("-ERR too long")
                return None
            octets = self.socket.recv(65536)
            if not octets:
                if "runs-unterminated" in self.faults and self.buffer:
                    line, self.buffer = self.buffer, b""
                    return line
                return None
            self.buffer += octets
        line, _, self.buffer = self.buffer.partition(b"\n")
        if "endless-lines" in self.faults and len(line) > 512:
            line = line[20_000:]
        if "wants-crlf" in self.faults and not line.endswith(b"\r"):
            return b"bare lf"
        return line.removesuffix(b"\r")

    def wait_for_more(self) -> None:
        """Collect what is on its way, as a server under load does without trying."""
        self.socket.settimeout(0.03)
        with contextlib.suppress(TimeoutError):
            while octets := self.socket.recv(65536):
                self.buffer += octets
        self.socket.settimeout(None)

    def say(self, text: str, *, lines: bytes | None = None) -> None:
        """Send one reply, with the lines of a multi-line one stuffed."""
        if "lower-case" in self.faults:
            text = text.replace("+OK", "+ok").replace("-ERR", "-err")
        octets = text.encode("latin-1") + b"\r\n"
        if lines is not None:
            if "no-stuffing" not in self.faults and lines:
                lines = re.sub(rb"(?m)^\.", b"..", lines)
            octets += lines + b".\r\n"
        if "bare-lf" in self.faults:
            octets = octets.replace(b"\r\n", b"\n")
        if lines is None:
            # Who has read this may let hours pass before this thread goes on.
            self.heard(busy=False)
            self.socket.sendall(octets)
        elif len(octets) > 1 << 20 and "cuts-slow-readers" in self.faults:
            # How much of the rest would be on its way already depends on the buffers between.
            self.socket.sendall(octets[: len(octets) // 2])
            self.socket.shutdown(socket.SHUT_RDWR)
        else:
            self.socket.sendall(octets)
            self.heard(busy=False)

    def no(self, text: str = "no") -> bool:
        """Refuse."""
        if "yes-man" in self.faults:
            self.say("+OK")
            return True
        if "codes-everything" in self.faults and not text.startswith("["):
            text = "[AUTH] " + text
        for fault, code in (
            ("codes-utf8", "[UTF8]"),
            ("strange-codes", "[FOO]"),
            ("brackets", "["),
        ):
            if fault in self.faults:
                text = f"{code} {text}"
        if "bare-sys" in self.faults:
            text = "[SYS] " + text
        self.say(f"-ERR {text}")
        if "terminates-refusals" in self.faults:
            self.say(".")
        return True

    def start_tls(self) -> bool:
        """Do the handshake and tell whether it worked."""
        if "agreeable-tls" in self.faults:
            return agree_to_anything(self.socket)
        if "turns-away" in self.faults:
            return turn_away(self.socket, HANDSHAKE_FAILURE)
        self.hello = peeked(self.socket)
        alert = None if "lenient-tls" in self.faults else objection(self.hello)
        if alert is not None:
            return turn_away(self.socket, alert)
        context = self.server.certificates.context(self.faults)
        self.socket = context.wrap_socket(self.socket, server_side=True, suppress_ragged_eofs=False)
        self.tls = True
        return True

    # --- commands -----------------------------------------------------------------------------

    def obey(self, line: bytes) -> bool:
        """Carry out one command and tell whether the session goes on."""
        if "cuts-at-nul" in self.faults:
            line = line.partition(b"\0")[0]
        if "drops-odd-octets" in self.faults:
            line = bytes(octet & 0x7F for octet in line if 0x20 <= octet & 0x7F < 0x7F)
        if "trims" in self.faults:
            line = b" ".join(line.replace(b"\t", b" ").replace(b"\r", b" ").split())
        if "echoes" in self.faults:
            return self.no("what is " + line.decode("latin-1") * 3)
        credentials = line.startswith((b"PASS ", b"USER ", b"APOP ")) and b"\0" not in line
        if not re.fullmatch(rb"[!-~]+( [!-~]+)*", line) and not credentials:
            return self.unknown()
        lax = "ignore" if "lax-utf8" in self.faults else "replace"
        keyword, space, rest = line.decode("utf-8", lax).partition(" ")
        keyword = keyword.upper() if "case-matters" not in self.faults else keyword
        arguments = rest.split(" ") if space else []
        if keyword in ("NOOP", "STAT", "RSET", "QUIT", "CAPA", "STLS"):
            if arguments and "ignores-surplus" not in self.faults:
                return self.unknown()
            arguments = []
        if keyword == "CAPA":
            return self.capa()
        if keyword == "QUIT":
            return self.quit()
        before = {"USER": self.do_user, "PASS": self.do_pass, "AUTH": self.do_auth}
        if self.offers_more():
            before |= {"APOP": self.do_apop, "UTF8": self.do_utf8}
            if keyword == "LANG":
                return self.do_lang(rest, arguments)
            if keyword == "UTF8" and "utf8-anytime" in self.faults:
                return self.do_utf8(rest, arguments)
        if self.mailbox is None:
            if keyword == "STLS" and self.endpoint.tls is Tls.STLS and not self.tls:
                return self.stls()
            if keyword in before:
                return before[keyword](rest, arguments)
            if "keeps-name" not in self.faults:
                self.user = None
            if "lets-in" not in self.faults or keyword == "XYZZY":
                return self.unknown()
        if "lets-in" in self.faults and keyword in before:
            self.say("+OK")
            return True
        return self.in_transaction(keyword, arguments)

    def unknown(self) -> bool:
        """Refuse what is no command here, and lose patience some time."""
        self.bad += 1
        self.no(self.spoken())
        return self.bad < 100

    def capa(self) -> bool:
        """List what there is now."""
        if "no-capa" in self.faults or ("capa-once" in self.faults and self.mailbox):
            return self.no()
        tags = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER"]
        tags.append("IMPLEMENTATION crooked")
        if "capa-forgets" in self.faults:
            self.user = None
        self.policies(tags)
        if self.may_show() or "hides-nothing" in self.faults:
            tags += ["USER", f"SASL {' '.join(self.mechanisms())}"]
        elif "bearer-in-clear" in self.faults:
            tags += ["SASL OAUTHBEARER"]
        if self.offers_more():
            tags.append("UTF8" if "utf8-varies" in self.faults and self.mailbox else "UTF8 USER")
            if not ("lang-strange" in self.faults and self.mailbox):
                tags.append("LANG")
        if self.endpoint.tls is Tls.STLS and not self.tls and not self.mailbox:
            tags.append("STLS")
        if "lists-strange" in self.faults:
            tags += ["APOP", "CAPA", "b\xe4d  tag", "STLS", "SASL PLAIN lower+case-mechanism"]
            tags = [tag.replace("crooked", "two tokens") for tag in tags if "EXPIRE" not in tag]
            tags += [f"PIPELINING {id(self)} {bool(self.mailbox)}"]
        if "lists-less" in self.faults:
            tags = [tag for tag in tags if tag[:3] not in ("TOP", "UID", "USE", "STL", "SAS")]
        if "drops-after-login" in self.faults and self.mailbox:
            tags = [tag for tag in tags if tag[:3] not in ("USE", "SAS", "AUT")]
        if "lang-translates" in self.faults and self.language == "de":
            tags.append("SPRACHE")
        self.say("+OK", lines="".join(f"{tag}\r\n" for tag in tags).encode("latin-1"))
        return True

    def policies(self, tags: list[str]) -> None:
        """Add what the site allows, where it is something else than nothing."""
        after = self.mailbox is not None
        values = {"odd-policy": ("soon", "later"), "policy-lies": ("5", "9")}
        values |= {"policy-silent": ("9", "5"), "expire-0": ("0", "0")}
        for fault, value in values.items():
            if fault in self.faults:
                tags[:] = [tag for tag in tags if not tag.startswith("EXPIRE")]
                expire = value[::-1] if fault != "odd-policy" else value
                tags += [f"EXPIRE {expire[after]}", f"LOGIN-DELAY {value[after]}"]
        if {"delays", "announces-delay"} & self.faults:
            tags.append("LOGIN-DELAY 1" if after else "LOGIN-DELAY 2 USER")

    def mechanisms(self) -> list[str]:
        """Return what AUTH takes here."""
        listed = ["PLAIN"]
        if self.offers_more():
            listed += OTHERS
            listed += self.by_channel()
            listed += BEARERS if self.tls or "bearer-in-clear" in self.faults else ()
        if "lists-plus" in self.faults and "SCRAM-SHA-256-PLUS" not in listed:
            listed.append("SCRAM-SHA-256-PLUS")
        if "plus-alone" in self.faults and self.tls:
            listed = [name for name in listed if not name.endswith(("-1", "-256"))]
        return listed

    def may_show(self) -> bool:
        """Tell whether passwords may be sent here."""
        return self.tls or self.endpoint.cleartext or "careless" in self.faults

    def stls(self) -> bool:
        """Go under TLS, forgetting what was said."""
        if self.buffer and "carries-over" not in self.faults:
            self.no()
            return False
        if "no-stls" in self.faults:
            return self.no()
        if "carries-over" in self.faults:
            self.wait_for_more()
        early, self.buffer = self.buffer, b""
        self.say("+OK")
        if "falls-back" in self.faults:
            return True
        if not self.start_tls():
            return False
        self.buffer = early
        if "remembers" not in self.faults:
            self.user = None
            self.utf8 = False
        return True

    def known_names(self) -> set[str]:
        """Return who has an account."""
        return set(self.server.mailboxes)

    def do_user(self, name: str, arguments: list[str]) -> bool:
        """Take the name down."""
        if "slow-known" in self.faults and name in self.server.mailboxes:
            time.sleep(0.004)
        if "refuses-unknown" in self.faults and name not in self.server.mailboxes:
            return self.no("nobody")
        if "only-proofs" in self.faults:
            return self.no("not by password")
        if not self.may_show() or len(arguments) != 1 or not name:
            return self.no("[AUTH] bad name" if "codes-everything" in self.faults else "no name")
        if self.failed and "one-try" in self.faults:
            return self.no("too late")
        if "enumerates" in self.faults and name not in self.server.mailboxes:
            return self.no("[AUTH] nobody of that name")
        if "first-user" not in self.faults or self.user is None:
            self.user = name
        if len(name) > 30 and "short-names" in self.faults:
            return False
        self.say("+OK" if "bare" in self.faults else "+OK go on")
        return True

    def do_pass(self, password: str, arguments: list[str]) -> bool:
        """Check the password and open the mailbox."""
        if "trims" in self.faults:
            password = " ".join(password.split())
        try:
            if "ascii-passwords" not in self.faults:
                password = self.prepare(password)
        except ValueError:
            return self.no()
        name, self.user = self.user, None
        if "sticky-name" in self.faults:
            self.user = name
        if name is None or not password:
            return self.no("no name") if "lets-in" not in self.faults else self.no()
        ascii_alone = "ascii-passwords" in self.faults or not self.offers_more()
        if ascii_alone and not password.isascii() and "raw-passwords" not in self.faults:
            return self.no()
        return self.check(name, password)

    def check(self, name: str, password: str) -> bool:
        """Open the mailbox if the password is right and nobody has it."""
        mailbox = self.server.mailboxes.get(name)
        if "slow-known" in self.faults and mailbox:
            time.sleep(0.004)
        if mailbox is None or mailbox.password != password:
            if mailbox and mailbox.lock.locked() and "tells-in-use" in self.faults:
                return self.no("[IN-USE] somebody is there")
            return self.wrong(mailbox is not None)
        return self.open(name)

    def wrong(self, known: bool) -> bool:
        """Refuse credentials, alike for everybody."""
        self.failed = True
        if "no-codes" in self.faults:
            return self.no("wrong")
        return self.no(ALIKE + " such name" * ("enumerates" in self.faults and not known))

    def open(self, name: str) -> bool:
        """Open the mailbox, if nobody has it."""
        mailbox = self.server.mailboxes[name]
        if "hollow" in self.faults:
            self.say("+OK come in")
            return True
        if "delays" in self.faults and time.monotonic() < mailbox.closed_until:
            return self.no("[LOGIN-DELAY] too soon")
        mailbox.closed_until = time.monotonic() + 1
        if "no-lock" in self.faults:
            mailbox = type(mailbox)(mailbox.password, mailbox.mail)
        if not mailbox.lock.acquire(timeout=2.0 if "waits" in self.faults else 0.3):
            return self.no("busy" if "no-codes" in self.faults else "[IN-USE] busy")
        self.mailbox = mailbox
        self.mail = mailbox.mail if "live-view" in self.faults else list(mailbox.mail)
        self.say("+OK" if "bare" in self.faults else "+OK welcome")
        return True

    def do_auth(self, rest: str, arguments: list[str]) -> bool:
        """Play the one exchange there is."""
        if "keeps-name" not in self.faults:
            self.user = None
        mechanism = arguments[0].upper() if arguments else ""
        if not self.may_show() or "no-auth" in self.faults or len(arguments) > 2:
            return self.no()
        if mechanism != "PLAIN":
            return self.other(mechanism, arguments[1:])
        response = arguments[1] if len(arguments) == 2 else None
        if response is None:
            self.socket.sendall(b"+\r\n" if "bare" in self.faults else b"+ \r\n")
            line = self.line()
            if line is None or line == b"*" or len(line) > LINE_LIMIT:
                return self.no() if line is not None else False
            response = line.decode("latin-1")
            if "short-responses" in self.faults and len(response) > 500:
                return False
        elif response == "=":
            response = ""
        return self.plain(response)

    def other(self, mechanism: str, initial: list[str]) -> bool:
        """Play a mechanism beside PLAIN, if there are more."""
        external = mechanism == "EXTERNAL" and "lax-external" in self.faults
        if mechanism not in self.mechanisms() and not external:
            return self.no()
        try:
            octets = [base64.b64decode(text.replace("=", "") and text) for text in initial]
        except binascii.Error:
            return self.no()
        return self.other_mechanism(mechanism, octets[0] if octets else None)

    def plain(self, response: str) -> bool:
        """Take the message of PLAIN apart."""
        lax = "lax-base64" in self.faults
        try:
            octets = base64.b64decode(response, validate=not lax)
            if base64.b64encode(octets).decode() != response and not lax:
                return self.no()
            fields = octets.decode("utf-8", "ignore" if "lax-utf8" in self.faults else "strict")
            authzid, authcid, password = (self.prepare(field) for field in fields.split("\0"))
        except (ValueError, binascii.Error):
            return self.check(self.last_name(), "") if lax else self.no()
        if "any-authzid" not in self.faults and authzid not in ("", authcid):
            return self.no(ALIKE)
        if not authcid or not password or "only-proofs" in self.faults:
            return self.no()
        return self.check(authcid, password)

    def prepare(self, text: str) -> str:
        """Return the text prepared, where this server bothers."""
        if "drops-prohibited" in self.faults:
            return without_prohibited(text)
        return text if "unprepared" in self.faults else prepared(text)

    def last_name(self) -> str:
        """Return the youngest account."""
        return list(self.server.mailboxes)[-1]

    def quit(self) -> bool:
        """Say goodbye, after the removal."""
        if self.mailbox is not None and "never-removes" not in self.faults:
            self.remove()
        if self.mailbox is not None:
            mailbox, self.mailbox = self.mailbox, None
            if "keeps-lock" not in self.faults:
                mailbox.lock.release()
        if "quit-is-silent" in self.faults:
            return False
        self.say("+OK bye")
        if "answers-after-quit" in self.faults and self.buffer:
            self.say("+OK and more")
        return False
