"""LOGIN: a name and a password, each asked for (draft-murchison-sasl-login, never a standard).

Old programs know nothing else. It says no more than PLAIN and cannot name whom to act as.
"""

from restante.identity import PasswordCredentials
from restante.sasl.client_mechanism import usable_name, usable_password
from restante.sasl.fields import is_password, read_name
from restante.sasl.mechanism import Challenge, MechanismError, Step
from restante.secret import Secret

NAME_PROMPT = b"Username:"
PASSWORD_PROMPT = b"Password:"


class LoginServer:
    """The server's side of one LOGIN exchange."""

    name = "LOGIN"

    def __init__(self) -> None:
        self._user: str | None = None

    def start(self, initial_response: bytes | None) -> Step:
        """Ask for the name, or take it at once.

        Departs from RFC 5034 §4, by which a mechanism where the server begins takes no initial
        response: there are clients that save a round trip, and nothing else could be meant.
        """
        if initial_response is None:
            return Challenge(NAME_PROMPT)
        return self.respond(initial_response)

    def respond(self, response: bytes) -> Step:
        """Take the name, then the password."""
        if self._user is None:
            self._user = read_name(response) or None
            if self._user is None:
                raise MechanismError("LOGIN takes a name in UTF-8")
            return Challenge(PASSWORD_PROMPT)
        if not is_password(response):
            raise MechanismError("LOGIN takes a password in UTF-8")
        return PasswordCredentials(self._user, Secret(response), self.name)


class LoginClient:
    """The client's side of one LOGIN exchange; what the prompts say makes no difference."""

    name = "LOGIN"
    failure = ""

    def __init__(self, user: str, password: Secret) -> None:
        self._answers = [usable_password(password), usable_name(user)]

    def first_message(self) -> None:
        """Leave the beginning to the server."""

    def step(self, challenge: bytes) -> bytes:
        """Answer the first prompt with the name, the second with the password."""
        if not self._answers:
            raise MechanismError("LOGIN has two prompts")
        return self._answers.pop()

    @property
    def verified(self) -> bool:
        """Both are said; nothing proves the server but TLS."""
        return not self._answers
