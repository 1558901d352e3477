"""The service that peers talk to: a real `restante serve` with an authority peers can check.

Its folder can be entered by everybody, because deliverers and workers run as another user.
"""

import pwd
import shutil
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import trustme

from serving import ServerProcess

HOST = "localhost"
"""What every peer is told, so that it checks a name and not a number."""
MAIL_USER = "nobody"
"""Who all mail belongs to where deliverers have a part in it."""


class Service(ServerProcess):
    """A server whose certificate every peer accepts, and another authority that none should."""

    def __init__(
        self,
        directory: Path,
        *,
        user: str | None = None,
        mechanisms: Sequence[str] = ("PLAIN", "USER"),
        verifies: Sequence[str] = (),
        client_certificates: bool = False,
        proxies: Sequence[str] = (),
    ) -> None:
        self._user = user
        self.authority = directory / "authority.pem"
        self.stranger = directory / "stranger.pem"
        super().__init__(
            directory,
            proxies=proxies,
            mechanisms=mechanisms,
            verifies=verifies,
            client_certificates=client_certificates,
        )
        if user is not None:
            shutil.chown(self.mail, user, pwd.getpwnam(user).pw_gid)

    def make_certificate(self) -> None:
        """Make a certificate with a common name, which fetchmail 6.4 will not do without."""
        authority = trustme.CA(organization_name="Restante")
        issued = authority.issue_cert(
            HOST, "127.0.0.1", common_name=HOST, key_type=trustme.KeyType.ECDSA
        )
        self.private_key.write_bytes(issued.private_key_pem.bytes())
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        authority.cert_pem.write_to_path(str(self.authority))
        trustme.CA(organization_name="Somebody else").cert_pem.write_to_path(str(self.stranger))

    def write_configuration(self) -> None:
        """Write the configuration, with the user whose mail is served."""
        super().write_configuration()
        user = "" if self._user is None else f'user = "{self._user}"\n'
        self.configuration.write_text(user + self.configuration.read_text())

    def verifying_context(self) -> ssl.SSLContext:
        """Return a context that trusts this server's authority, and no other."""
        return ssl.create_default_context(cafile=str(self.authority))


@contextmanager
def open_folder(purpose: str) -> Iterator[Path]:
    """Give a temporary folder with a short path that every user can enter, and remove it."""
    with tempfile.TemporaryDirectory(prefix=f"restante-{purpose}-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
