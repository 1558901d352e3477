"""The dialogue of the crooked server: honest but for the faults it is told."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import socket
import stringprep
import unicodedata
from typing import TYPE_CHECKING

from restante.examine.target import Endpoint, Tls
from unit.examine.crooked_tls import HANDSHAKE_FAILURE, agree_to_anything, objection, turn_away
from unit.examine.crooked_transaction import Transaction

if TYPE_CHECKING:
    from unit.examine.crooked import CrookedServer

LINE_LIMIT = 16384
ALIKE = "[AUTH] no"


def prepared(text: str) -> str:
    """Return the text after the steps of SASLprep that matter here."""
    kept = "".join(c for c in text if not stringprep.in_table_b1(c))
    normal = unicodedata.normalize("NFKC", kept)
    if any(stringprep.in_table_c21_c22(c) for c in normal):
        raise ValueError(text)
    return normal


class Session(Transaction):
    """One connection, its state and its marks."""

    def __init__(self, server: CrookedServer, connection: socket.socket, endpoint: Endpoint):
        super().__init__()
        self.server = server
        self.faults = server.faults
        self.endpoint = endpoint
        self.socket = connection
        self.buffer = b""
        self.tls = False
        self.user: str | None = None
        self.bad = 0

    def run(self) -> None:
        """Serve until the client goes."""
        if "mute" in self.faults:
            return
        implicit = self.endpoint.tls is Tls.IMPLICIT and "no-tls" not in self.faults
        if implicit and not self.start_tls():
            return
        greeting = "POP3 server ready"
        if "timestamp" in self.faults:
            greeting = "<stray ready"
        self.say("+OK " + greeting if "rude" not in self.faults else "-ERR busy")
        if "chatty" in self.faults:
            self.say("+OK there is more")
        while (line := self.line()) is not None:
            if not self.obey(line):
                return

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
            line = line[-7:]
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
        self.socket.sendall(octets)

    def no(self, text: str = "no") -> bool:
        """Refuse."""
        if "yes-man" in self.faults:
            self.say("+OK")
            return True
        if "codes-everything" in self.faults and not text.startswith("["):
            text = "[AUTH] " + text
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
        alert = None if "lenient-tls" in self.faults else objection(self.socket)
        if alert is not None:
            return turn_away(self.socket, alert)
        context = self.server.lenient if "lenient-tls" in self.faults else self.server.context
        self.socket = context.wrap_socket(self.socket, server_side=True, suppress_ragged_eofs=False)
        self.tls = True
        return True

    # --- commands -----------------------------------------------------------------------------

    def obey(self, line: bytes) -> bool:
        """Carry out one command and tell whether the session goes on."""
        if "cuts-at-nul" in self.faults:
            line = line.partition(b"\0")[0]
        if "trims" in self.faults:
            line = b" ".join(line.replace(b"\t", b" ").replace(b"\r", b" ").split())
        if "echoes" in self.faults:
            return self.no("what is " + line.decode("latin-1") * 3)
        if not re.fullmatch(rb"[!-~]+( [!-~]+)*", line) and not line.startswith(b"PASS "):
            return self.unknown()
        keyword, space, rest = line.decode("utf-8", "replace").partition(" ")
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
        if self.mailbox is None:
            if keyword == "STLS" and self.endpoint.tls is Tls.STLS and not self.tls:
                return self.stls()
            if keyword in before:
                return before[keyword](rest, arguments)
            if "keeps-name" not in self.faults:
                self.user = None
            if "lets-in" not in self.faults or keyword in ("APOP", "XYZZY"):
                return self.unknown()
        if "lets-in" in self.faults and keyword in before:
            self.say("+OK")
            return True
        return self.in_transaction(keyword, arguments)

    def unknown(self) -> bool:
        """Refuse what is no command here, and lose patience some time."""
        self.bad += 1
        self.no()
        return self.bad < 100

    def capa(self) -> bool:
        """List what there is now."""
        if "no-capa" in self.faults or ("capa-once" in self.faults and self.mailbox):
            return self.no()
        tags = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER"]
        tags.append("IMPLEMENTATION crooked")
        if self.may_show() or "hides-nothing" in self.faults:
            tags += ["USER", "SASL PLAIN"]
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
        self.say("+OK", lines="".join(f"{tag}\r\n" for tag in tags).encode("latin-1"))
        return True

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
        return True

    def do_user(self, name: str, arguments: list[str]) -> bool:
        """Take the name down."""
        if not self.may_show() or len(arguments) != 1 or not name:
            return self.no("[AUTH] bad name" if "codes-everything" in self.faults else "no name")
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
        name, self.user = self.user, None
        if "sticky-name" in self.faults:
            self.user = name
        if name is None or not password:
            return self.no("no name") if "lets-in" not in self.faults else self.no()
        return self.check(name, password)

    def check(self, name: str, password: str) -> bool:
        """Open the mailbox if the password is right and nobody has it."""
        mailbox = self.server.mailboxes.get(name)
        if mailbox is None or mailbox.password != password:
            if mailbox and mailbox.lock.locked() and "tells-in-use" in self.faults:
                return self.no("[IN-USE] somebody is there")
            if "no-codes" in self.faults:
                return self.no("wrong")
            return self.no(ALIKE + " such name" * ("enumerates" in self.faults and not mailbox))
        if "no-lock" in self.faults:
            mailbox = type(mailbox)(mailbox.password, mailbox.mail)
        if not mailbox.lock.acquire(timeout=0.3):
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
        if mechanism != "PLAIN" or not self.may_show() or "no-auth" in self.faults:
            return self.no()
        if len(arguments) > 2:
            return self.no()
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
        return self.check(authcid, password) if authcid and password else self.no()

    def prepare(self, text: str) -> str:
        """Return the text prepared, where this server bothers."""
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
