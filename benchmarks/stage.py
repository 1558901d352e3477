"""The stage on which the works are played: certificate, patterns of Maildirs, what they hold."""

import shutil
import ssl
from functools import cached_property
from pathlib import Path

from benchmarks.load.expectation import Expectation
from benchmarks.mail.maildir import create_maildir, deliver_plainly, store_sized
from benchmarks.mail.messages import Message, mixed_messages, small_message
from benchmarks.peers.certificate import client_context, make_certificate
from benchmarks.peers.peer import MAIL_USER
from benchmarks.scale import Scale

_SEED = 1996


class Stage:
    """A directory with everything that both servers get the same of, made when first wanted."""

    def __init__(self, directory: Path, scale: Scale) -> None:
        self.directory = directory
        self.scale = scale
        directory.chmod(0o755)
        self.certificate, self.private_key = make_certificate(directory)
        shutil.chown(self.private_key, MAIL_USER)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """The client's side of TLS, which never resumes."""
        return client_context(self.certificate)

    @cached_property
    def few(self) -> list[Message]:
        """The messages of a maildrop that is asked again and again."""
        return [small_message(index, _SEED) for index in range(self.scale.login_messages)]

    @cached_property
    def few_pattern(self) -> Path:
        """A Maildir with few messages."""
        directory = create_maildir(self.directory / "few" / "Maildir")
        store_sized(directory, self.few)
        return directory

    @cached_property
    def mixed(self) -> Expectation:
        """What the mixed Maildir holds."""
        return Expectation(self._mixed_messages())

    @cached_property
    def mixed_pattern(self) -> Path:
        """A Maildir with mixed messages, newly delivered."""
        directory = create_maildir(self.directory / "mixed" / "Maildir")
        deliver_plainly(directory, self._mixed_messages())
        return directory

    @cached_property
    def huge(self) -> Expectation:
        """What the huge Maildir holds."""
        return Expectation(self.huge_message(index) for index in range(self.scale.huge_messages))

    @cached_property
    def growing(self) -> Expectation:
        """What the copies of the huge Maildir hold to which messages are delivered."""
        return self.huge.copy()

    @cached_property
    def huge_pattern(self) -> Path:
        """A Maildir with very many messages, their sizes in their names."""
        directory = create_maildir(self.directory / "huge" / "Maildir")
        indexes = range(self.scale.huge_messages)
        store_sized(directory, (self.huge_message(index) for index in indexes))
        return directory

    def huge_message(self, index: int) -> Message:
        """Return one message of the huge Maildir, or one delivered later."""
        return small_message(index, _SEED + 1)

    def _mixed_messages(self) -> list[Message]:
        return mixed_messages(self.scale.mixed_messages, self.scale.mixed_mean_octets, _SEED)
