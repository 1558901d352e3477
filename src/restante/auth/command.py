"""An external command as a source of accounts, by the interface of checkpassword.

The program reads name, password and an empty timestamp from descriptor 3, each with a NUL behind
it. If the password is right it runs the program that its last arguments name, in the environment
of the account; here that is `env`, which writes that environment down. Else it ends with 1 for a
wrong name or password, with 3 for a name that it has nobody of (as Dovecot has it), and with
anything else, 111 by custom, where it cannot say.

Whatever ends with 0 without having run that program has not said yes.
"""

import shutil
from secrets import token_hex

from restante.auth.asking import Answer
from restante.auth.child import Child
from restante.auth.options import CommandOptions
from restante.auth.sources import Account
from restante.auth.verifiable import PASSWORDS
from restante.errors import TemporaryFailure
from restante.secret import Secret

MAXIMUM_OCTETS = 512
"""What programs read of descriptor 3, by custom."""
MAXIMUM_LEFT = 64
"""Programs killed that have not ended, as one that hangs in the kernel."""
_WRONG, _UNKNOWN = 1, 3


class Command:
    """The accounts that a program knows."""

    def __init__(self, options: CommandOptions) -> None:
        self.name = "command"
        self._options = options
        self._env = shutil.which("env", path="/usr/bin:/bin") or "/usr/bin/env"
        self._children: set[Child] = set()

    async def verify(self, name: str, password: Secret) -> Account | Answer:
        """Return the account if the program says that this is the password; see the contract."""
        octets = password.reveal()
        given = b"%s\0%s\0\0" % (name.encode(), octets)
        if b"\0" in octets or len(given) > MAXIMUM_OCTETS:
            return Answer.NO
        # Words that stand in no environment before: only `env` itself writes them.
        mark = f"RESTANTE_MARK={token_hex(16)}"
        child = self._start(mark, given)
        status = await child.ended()
        if status == _WRONG:
            return Answer.NO
        if status == _UNKNOWN:
            return Answer.NOT_MINE
        if status != 0:
            raise TemporaryFailure(reason=f"exit status {status}")
        return self._account(name, _environment(bytes(child.output), mark))

    async def close(self) -> None:
        """Kill what runs."""
        for child in self._children:
            child.kill()

    def _start(self, mark: str, given: bytes) -> Child:
        self._children = {child for child in self._children if not child.is_over}
        if len(self._children) >= MAXIMUM_LEFT:
            raise TemporaryFailure(reason="too many programs that do not end")
        program = [str(self._options.program), *self._options.arguments]
        try:
            child = Child([*program, self._env, "-0", mark], given)
        except OSError as error:
            raise TemporaryFailure(reason=f"not run: {error.strerror}") from error
        self._children.add(child)
        return child

    def _account(self, name: str, environment: dict[str, str]) -> Account:
        home, mailbox = environment.get("HOME", ""), environment.get("MAILDIR", "")
        mailbox = mailbox or (self._options.maildir if home else "")
        if mailbox and not mailbox.startswith("/"):
            mailbox = f"{home}/{mailbox}" if home else mailbox
        if mailbox and not _is_path(mailbox):
            raise TemporaryFailure(reason="a mailbox that is no path")
        return Account(name, "", self.name, "", mailbox=mailbox or None, verifies=PASSWORDS)


def _environment(output: bytes, mark: str) -> dict[str, str]:
    """Return the environment that was written down.

    Raises:
        TemporaryFailure: none was.
    """
    entries = output.decode("utf-8", "surrogateescape").split("\0")
    if mark not in entries:
        raise TemporaryFailure(reason="exit status 0, but it has not run its last arguments")
    pairs = (entry.partition("=") for entry in entries)
    return {name: value for name, _, value in pairs}


def _is_path(text: str) -> bool:
    return text.startswith("/") and text.isprintable() and ".." not in text.split("/")
