"""Every exception of the project; a refusal knows the POP3 answer it becomes.

    RestanteError
    ├── LocalProtocolError     our own code drove a session against its rules
    ├── ConfigurationError     a setting cannot be honoured; says file, line and key
    ├── ControlError           the control socket, or who answers it, cannot do what was asked
    ├── AccountError           an account command cannot be carried out
    │   └── UnknownAccount         there is no account of that name
    └── Refusal                what a client may be told: a response code and a text
        ├── AuthenticationFailed   [AUTH]
        ├── MaildropInUse          [IN-USE]
        ├── TemporaryFailure       [SYS/TEMP]
        ├── PermanentFailure       [SYS/PERM]
        ├── MessageVanished        no code: the rest of the maildrop is well
        └── UpdateIncomplete       [SYS/TEMP], some of what was marked is still there

The text of a refusal is for the client and holds no path, host or cause; the cause is chained
(`raise TemporaryFailure from error`) for the log.
"""

from typing import ClassVar


class RestanteError(Exception):
    """Anything this project raises on purpose."""


class LocalProtocolError(RestanteError):
    """A call that the session's state does not allow: a defect of the caller."""


class ConfigurationError(RestanteError):
    """A configuration that cannot be honoured, one line for each finding."""


class ControlError(RestanteError):
    """A request through the control socket that was not carried out."""


class AccountError(RestanteError):
    """An account command that was not carried out."""


class UnknownAccount(AccountError):
    """A name that no source of accounts knows."""


class Refusal(RestanteError):
    """A negative reply to a client: RFC 2449 §8 and RFC 3206 response code, and text."""

    code: ClassVar[str | None] = None
    default_text: ClassVar[str] = "refused"

    def __init__(self, text: str | None = None, *, reason: str | None = None) -> None:
        self.text = self.default_text if text is None else text
        self.reason = reason
        """For the log alone; never sent."""
        super().__init__(self.text)


class AuthenticationFailed(Refusal):
    """Credentials that prove nothing; the same words whatever the reason (RFC 3206 §5)."""

    code = "AUTH"
    default_text = "authentication failed"


class MaildropInUse(Refusal):
    """Right credentials, but another session holds the maildrop (RFC 2449 §8.1.2)."""

    code = "IN-USE"
    default_text = "another session holds this maildrop"


class TemporaryFailure(Refusal):
    """A fault that is likely to pass by itself (RFC 3206 §4)."""

    code = "SYS/TEMP"
    default_text = "temporary failure, try again later"


class PermanentFailure(Refusal):
    """A fault that somebody has to mend (RFC 3206 §4)."""

    code = "SYS/PERM"
    default_text = "the maildrop cannot be opened"


class MessageVanished(Refusal):
    """A message that another program removed while the session was open."""

    default_text = "this message is no longer there"


class UpdateIncomplete(Refusal):
    """An UPDATE that left marked messages behind (RFC 1939 §6)."""

    code = "SYS/TEMP"
    default_text = "some deleted messages not removed"

    def __init__(self, remaining: int, text: str | None = None) -> None:
        self.remaining = remaining
        super().__init__(text)
