"""A POP3 server of Twisted's own classes over folders; `twisted.py` runs it in its room.

    python3 twisted_server.py USERS FOLDERS CERTIFICATE PORT TLS_PORT

USERS has a line `name:password` for each account, read anew at every login; FOLDERS has a folder
for each. The protocol and the login are `twisted.mail.pop3.POP3` and `twisted.cred` as they come;
what their interfaces leave to the application is here: who may log in, the mailbox and its lock.
"""

# Twisted is there where this runs, in Debian's packages, and not where it is checked.
# mypy: disable-error-code="import-not-found,misc"

import io
import sys
from pathlib import Path
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import CramMD5Credentials, IUsernameHashedPassword, IUsernamePassword
from twisted.cred.error import LoginDenied, UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor, ssl
from twisted.internet.defer import maybeDeferred
from twisted.internet.protocol import ServerFactory
from twisted.mail.pop3 import POP3, IMailbox, IServerFactory, Mailbox
from zope.interface import implementer


@implementer(ICredentialsChecker)
class UsersFile:
    """The passwords of a file."""

    credentialInterfaces = (IUsernamePassword, IUsernameHashedPassword)  # noqa: N815

    def __init__(self, path: Path) -> None:
        self._path = path

    def requestAvatarId(self, credentials: Any) -> Any:  # noqa: N802
        """Return the name that the credentials prove."""
        return maybeDeferred(self._check, credentials)

    def _check(self, credentials: Any) -> bytes:
        for line in self._path.read_bytes().splitlines():
            name, _, password = line.partition(b":")
            if name == credentials.username and credentials.checkPassword(password):
                return name
        raise UnauthorizedLogin


class Files(Mailbox):
    """A mailbox of files: `MaildirMailbox` fails under Python 3 where a message is asked for."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.iterdir())
        self._marked: set[int] = set()

    def listMessages(self, index: int | None = None) -> Any:  # noqa: N802
        """Return the size of one message or of all."""
        if index is not None:
            return self._size(index)
        return [self._size(number) for number in range(len(self._paths))]

    def getMessage(self, index: int) -> io.BytesIO:  # noqa: N802
        """Return a message to read."""
        return io.BytesIO(self._lines(index))

    def getUidl(self, index: int) -> bytes:  # noqa: N802
        """Return the unique-id of a message."""
        return self._paths[index].name.encode()

    def deleteMessage(self, index: int) -> None:  # noqa: N802
        """Mark a message."""
        self._lines(index)
        self._marked.add(index)

    def undeleteMessages(self) -> None:  # noqa: N802
        """Take all marks back."""
        self._marked.clear()

    def sync(self) -> None:
        """Remove what is marked."""
        for index in self._marked:
            self._paths[index].unlink()

    def _size(self, index: int) -> int:
        """Return the octets on the wire; nothing of a marked message, as IMailbox wants it."""
        return 0 if index in self._marked else len(self._lines(index).replace(b"\n", b"\r\n"))

    def _lines(self, index: int) -> bytes:
        """Return a message with the line ends that the protocol expects to replace."""
        if index < 0 or index in self._marked:
            raise IndexError
        lines = self._paths[index].read_bytes().replace(b"\r\n", b"\n")
        return lines if lines.endswith(b"\n") else lines + b"\n"


@implementer(IRealm)
class Mailboxes:
    """A mailbox for each name, for one session at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: set[bytes] = set()

    def requestAvatar(self, avatar: bytes, mind: object, *interfaces: object) -> Any:  # noqa: N802
        """Return the mailbox of somebody who has logged in."""
        if avatar in self._open:
            raise LoginDenied
        mailbox = Files(self._path / avatar.decode())
        self._open.add(avatar)
        return IMailbox, mailbox, lambda: self._open.discard(avatar)


@implementer(IServerFactory)
class Factory(ServerFactory):
    """What makes a protocol for every connection, and says what CAPA lists beside its own."""

    protocol = POP3
    noisy = False

    def __init__(self, portal: Any) -> None:
        self._portal = portal
        self.challengers = {b"CRAM-MD5": CramMD5Credentials}

    def cap_IMPLEMENTATION(self) -> str:  # noqa: N802
        """Leave a capability out."""
        raise NotImplementedError

    cap_EXPIRE = cap_LOGIN_DELAY = cap_IMPLEMENTATION  # noqa: N815

    def buildProtocol(self, address: object) -> Any:  # noqa: N802
        """Return a protocol that asks the portal."""
        protocol = super().buildProtocol(address)
        protocol.portal = self._portal
        return protocol


def main(users: str, folders: str, certificate: str, port: str, tls_port: str) -> None:
    """Serve until the end."""
    factory = Factory(Portal(Mailboxes(Path(folders)), [UsersFile(Path(users))]))
    reactor.listenTCP(int(port), factory, interface="127.0.0.1")
    context = ssl.PrivateCertificate.loadPEM(Path(certificate).read_text()).options()
    reactor.listenSSL(int(tls_port), factory, context, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
