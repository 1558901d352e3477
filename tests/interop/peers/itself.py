"""Restante itself, as the tests of conformance run it: a server for each kind of port."""

from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from examine.served import target_of
from restante.examine.target import Target

from conftest import RestanteServer
from serving import ALL_BUT_DIGESTS, TOKENS


class Restante:
    """Two `restante serve`, one of which refuses passwords in clear."""

    name = "Restante"
    package = "this tree"
    serves = (
        "Maildirs; accounts in a passwd-file; every mechanism that this, client certificates and"
        " tokens can verify, but for APOP and CRAM-MD5, which want passwords of their own;"
        ' `cleartext = "always"`, and a second server with `cleartext = "tls"`; as'
        " `tests/conftest.py` sets it up"
    )

    unsteady: tuple[str, ...] = ()

    def __init__(self, directory: Path) -> None:
        self._server = RestanteServer(directory, *ALL_BUT_DIGESTS, *TOKENS)

    @classmethod
    def version(cls) -> str:
        """Return the version of this tree."""
        return version("restante")

    @classmethod
    def is_there(cls) -> bool:
        """Say that it is."""
        return True

    def target(self) -> Target:
        """Return it as the judge wants it."""
        return target_of(self._server)

    def __enter__(self) -> Self:
        """Start it."""
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._server.stop()
