"""Generate the page on the log from the calls that write it.

    python docs/generate_log.py

Writes docs/reference/log.md. Which events there are, with which fields and which reasons, is read
out of the source; what they mean stands here, and one without a meaning is an error.
"""

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from restante.auth.pool import FULL
from restante.auth.throttle import KINDS
from restante.auth.turns import CROWDED
from restante.identity import Peer
from restante.protocol import EndReason
from restante.telemetry import Event, peer_fields

SOURCE = Path(__file__).parent.parent / "src" / "restante"
PAGE = Path(__file__).parent / "reference" / "log.md"

HEAD = """\
# The log

Made by `python docs/generate_log.py` from the calls that write it; a test holds it to them.

The log goes to standard error, one event a line:

    2026-11-24T09:30:00+0000 restante[4711]: login: rip=192.0.2.7 rport=50540 lip=198.51.100.1 \
lport=995 tls=TLSv1.3/TLS_AES_256_GCM_SHA384 session=533c05de-1 mech=PLAIN messages=4 \
octets=100293 user=alice@example.org

The time, the process, the name of the event, then its fields. A value that holds anything but
plain characters stands in quotes with escapes, and what a client chose (`user`) comes last, so that
no value can look like another field, end a line or steer a terminal. A value ends after 255
characters. No password, response or token is ever in it.

Events marked † come once a second and worker at the most; the next one is preceded by
`suppressed`, which counts those held back.
"""

FIELDS = {
    "peer": "which connection: `rip` and `rport` the client's address and port, `lip` and `lport`"
    " ours, `tls` version and suite (absent in clear), `session` a name that all lines of a session"
    " share and `who` shows",
    "rip": "the client's address",
    "session": "the same as in `peer`",
    "mech": "USER, or a SASL mechanism",
    "device": "the device whose password it was; absent for the account's own",
    "change": "added, password, disabled, enabled, removed, device added or device revoked",
    "uid": "who gave the command",
    "user": "the account; for a login that failed the name as it was sent",
    "reason": "why; see below",
    "messages": "messages in the maildrop",
    "octets": "size on the wire, of a maildrop or a message",
    "top": "how many TOP were answered",
    "retr": "how many RETR were answered, and the octets of all messages sent",
    "removed": "messages removed by QUIT",
    "remaining": "marked messages that are still there",
    "seconds": "how long the login waits",
    "workers": "how many processes serve connections",
    "address": "where is listened",
    "mode": "of its TLS: implicit, stls or none",
    "generation": "counts reloads; the processes of one generation work by one configuration",
    "role": "auth or worker",
    "process": "its id",
    "status": "how it ended: 0, an exit status, or minus the number of a signal",
    "mailbox": "the path of a Maildir",
    "file": "the path of a passwd-file",
    "event": "which event was held back",
    "count": "how often, or how many",
    "target": "the address, network or account that was named, or all",
    "unique_id": "the unique-id",
    "listed": "the size sessions were told until now",
    "more": "how many more of this maildrop were corrected",
}
"""What a field holds."""

MEANINGS = {
    Event.STARTED: "The supervisor has started.",
    Event.READY: "Clients are served.",
    Event.STOPPING: "No more clients are taken; sessions end.",
    Event.STOPPED: "The server has ended.",
    Event.LISTENING: "A socket is bound.",
    Event.RELOADED: "A new configuration is in force for new sessions.",
    Event.RELOAD_REFUSED: "A new configuration cannot be honoured; the old one stays in force.",
    Event.PROCESS_STARTED: "A process of ours has started.",
    Event.PROCESS_ENDED: "A process of ours has ended. Unless it was told to, another takes its"
    " place.",
    Event.CONNECTION_REFUSED: "A client was turned away because of a limit.",
    Event.CONNECTION_ENDED: "A connection ended before a login.",
    Event.PROXY_REFUSED: "A connection from a `proxy_protocol` network did not begin with a good"
    " PROXY header. `rip` is the proxy's.",
    Event.DESCRIPTORS_EXHAUSTED: "The process has no descriptors left.",
    Event.TLS_FAILED: "A handshake or a TLS stream could not go on.",
    Event.CLEARTEXT_REFUSED: "A client wanted to send a password in clear where it may not. If it"
    " sent one all the same, that password was readable on its way.",
    Event.LOGIN: "A maildrop was opened.",
    Event.LOGIN_ABANDONED: "Somebody proved who they are by SCRAM and gave up before the maildrop"
    " was opened: a client that found the server false, or someone who tries what they have found.",
    Event.AUTH_FAILED: "A login failed. The client hears the same words whatever the reason.",
    Event.AUTH_DELAYED: "A login waits because of failures before it; `auth failed` or `login`"
    " follows, unless the client gives up.",
    Event.AUTH_UNAVAILABLE: "Nobody can say now whether credentials are right.",
    Event.THROTTLE_FORGIVEN: "An administrator had failures forgotten.",
    Event.MAILDROP_IN_USE: "A login succeeded, but another session holds the maildrop.",
    Event.MAILDROP_FAILED: "A login succeeded, but the maildrop cannot be opened.",
    Event.MESSAGE_FAILED: "A message cannot be read, or is no longer there.",
    Event.SIZE_CORRECTED: "A file name claimed a wrong size; the next session is told the right"
    " one.",
    Event.REMOVED: "Messages were removed.",
    Event.UPDATE_FAILED: "Marked messages could not all be removed; the client was told.",
    Event.LOGOUT: "A session ended behind its login.",
    Event.DELIVERED: "A message was stored. For programs that embed the store: `restante deliver`"
    " itself writes no log.",
    Event.ACCOUNT_CHANGED: "An account or one of its devices was changed. A command says so, to the"
    " log of the system (syslog, authpriv).",
    Event.WARNING: "Something works less well than it should.",
    Event.FAULT: "A defect of ours; it cost one login, one session or one process, which is"
    " replaced. Please report it with the line.",
    Event.SUPPRESSED: "Events of one kind were held back.",
}
"""What an event means."""

REASONS = {
    "descriptors": "this worker has no descriptors for more: raise its limit of open files",
    "connections": "`limits.connections`",
    "connections per address": "`limits.connections_per_address`",
    "connections per network": "`limits.connections_per_network`",
    "connections before login per address": "`limits.before_login_per_address`",
    "unknown": "there is no such account",
    "password": "the password is wrong",
    "digest": "the digest is of no password that is kept here for its mechanism",
    "disabled": "the account is disabled",
    "device mechanism": "the password is a device's that is for other mechanisms; which, is behind"
    " the colon",
    "device expired": "the password is a device's whose time is over",
    "device network": "the password is a device's that may not come from there",
    "authorization": "it wanted to act for somebody else",
    "mechanism": "nothing here can verify what was sent",
    "certificate": "the certificate names nobody, or nobody alone",
    "token": "the token is nobody's",
    "no verifier": "the account has nothing for this mechanism: set its password anew",
    FULL: "`auth.hashing.queue`; regulars go before the others",
    CROWDED: "64 logins of this network wait for their turn already",
    "address": "delayed for what its address failed at",
    "network": "delayed for what its network failed at",
    "account": "delayed for what others failed at with this account",
    "credential": "delayed for what failed with this account through the same gateway",
    "all": "delayed for what all clients together failed at",
    "quit": "the client said QUIT",
    "client gone": "the client closed, or its connection broke; nothing was removed",
    "too many bad commands": "ten before the login, fifty in a row behind it",
    "line without end": "8 KiB without a line end",
    "too much input before login": "more than 16 KiB unread, and of the 256 that may have that"
    " the one that has had it longest",
    "not a mail client": "the first line was that of a web client",
    "octets behind stls": "octets in clear came behind STLS: an attack, or a broken client",
    "message could not be read": "a message failed in the midst, so its end was not sent",
    "autologout": "`limits.autologout_seconds` without a command",
    "login timeout": "`limits.before_login_seconds` without a login",
    "tls handshake timeout": "`limits.tls_handshake_seconds`",
    "no proxy header": "what came was something else: the proxy is not told to send one, or this is"
    " no proxy",
    "proxy header malformed": "it departs from the protocol",
    "proxy header too long": "a line of more than 107 octets, or more than 4 KiB announced",
    "proxy header checksum": "its checksum is not its own",
    "proxy header cut off": "the connection ended within it",
    "proxy header timeout": "`limits.proxy_header_seconds`: mostly a proxy that is not told to send"
    " one",
    "tls failed": "a line `tls failed` says why",
    "client does not read": "`limits.write_stall_seconds` without an octet taken",
    "kicked": "`restante kick`",
    "server stopping": "the server ends",
    "fault": "a defect of ours; a line `fault` says more",
}
"""What stands behind a reason that is one of ours; others are the system's own words."""

ENDINGS = {"drop", "abandon", "_end", "_refuse", "BadHeader"}
"""Methods and exceptions that are given the reason a connection ends for."""
AUTHORS = ("admit", "objection", "_objection")
"""Functions that return a reason."""


class Undescribed(ValueError):
    """The source logs what this file does not explain."""


@dataclass
class Written:
    """What the source writes of one event."""

    fields: list[str] = field(default_factory=list)
    limited: bool = False


def written(source: Path = SOURCE) -> dict[Event, Written]:
    """Return every event that some call logs, with the fields of all such calls."""
    found: dict[Event, Written] = {}
    for path in sorted(source.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        calls = [node for node in nodes if isinstance(node, ast.Call) and _logs(node)]
        direct = {event for call in calls if (event := _event(call.args[0])) is not None}
        named = {event for node in nodes if (event := _event(node)) is not None}
        for call in calls:
            event = _event(call.args[0])
            # A call that takes its event from a variable logs those that are named elsewhere.
            for each in [event] if event is not None else sorted(named - direct):
                _note(found.setdefault(each, Written()), call)
    return found


def _logs(call: ast.Call) -> bool:
    return bool(call.args) and _name(call) in ("log", "_log", "flood_log")


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _event(node: ast.AST) -> Event | None:
    if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Event":
        return Event.__members__.get(node.attr)
    return None


def _note(event: Written, call: ast.Call) -> None:
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg not in event.fields:
            event.fields.append(keyword.arg)
    event.limited |= getattr(call.func, "attr", "") == "flood_log"


def reasons(source: Path = SOURCE) -> list[str]:
    """Return every reason of ours that stands in the source, in the order of its meaning."""
    found = (
        {reason.value for reason in EndReason}
        | {"descriptors", FULL, CROWDED}
        | set(KINDS.values())
    )
    for path in sorted((*source.glob("server/*.py"), *source.glob("auth/**/*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node) in ENDINGS | {"Verdict"}:
                found |= _texts(node.args)
            elif isinstance(node, ast.Call) and _name(node) == "AuthenticationFailed":
                found |= _texts(each.value for each in node.keywords if each.arg == "reason")
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "reason":
                found |= _texts([node.value])
            elif isinstance(node, ast.FunctionDef) and node.name in AUTHORS:
                found |= _texts(
                    each.value for each in ast.walk(node) if isinstance(each, ast.Return)
                )
    if unknown := sorted(found - set(REASONS)):
        raise Undescribed(f"reasons without a meaning here: {', '.join(unknown)}")
    return [reason for reason in REASONS if reason in found]


def _texts(nodes: Iterable[ast.expr | None]) -> set[str]:
    """Return the texts among some nodes; of one that is put together, what stands before a colon.

    Names of devices are put behind it, say.
    """
    found = set()
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            node = node.values[0]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value.partition(":")[0])
    return found


def page() -> str:
    """Return the page."""
    events = written()
    names = {name for event in events.values() for name in event.fields}
    if unknown := sorted(names - set(FIELDS)):
        raise Undescribed(f"fields without a meaning here: {', '.join(unknown)}")
    lines = [HEAD, "## Events", "", "| event | meaning | fields |", "|---|---|---|"]
    for event, meaning in MEANINGS.items():
        if event in events:
            mark = " †" if events[event].limited else ""
            fields = ", ".join(f"`{name}`" for name in events[event].fields)
            lines.append(f"| `{event.value}`{mark} | {meaning} | {fields} |")
    lines += ["", "## Fields", "", "| field | holds |", "|---|---|"]
    lines += [f"| `{name}` | {FIELDS[name]} |" for name in FIELDS if name in names]
    example = ", ".join(f"`{name}`" for name in peer_fields(Peer("", 0, "", 0)))
    lines += ["", f"`peer` is not written itself: in its place stand {example}.", ""]
    lines += ["## Reasons", "", "| reason | what is behind it |", "|---|---|"]
    lines += [f"| {reason} | {REASONS[reason]} |" for reason in reasons()]
    lines += ["", "Any other reason is in the words of the system or of OpenSSL.", ""]
    return "\n".join(lines)


def main() -> int:
    """Write the page; return the exit status."""
    try:
        text = page()
    except Undescribed as error:
        print(f"{Path(__file__).name}: {error}", file=sys.stderr)
        return 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
