"""What keeps the suite from examining a server at all, told in one line."""

from __future__ import annotations

import enum


class Obstacle(enum.Enum):
    """What is in the way."""

    HOST = "there is no such host"
    CONNECTION = "no connection, or one that says nothing"
    PROTOCOL = "no POP3, or no TLS"
    CERTIFICATE = "a certificate that is not trusted"
    CREDENTIALS = "the login is refused"
    BUSY = "not now"
    DOOR = "messages cannot be put in"
    MAILDROP = "the maildrop is not what it has to be"


class CannotExamine(Exception):
    """The end of an examination before its first case."""

    def __init__(self, obstacle: Obstacle, text: str) -> None:
        super().__init__(text)
        self.obstacle = obstacle
