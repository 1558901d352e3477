"""A service that offers every mechanism its sources can verify, and client certificates."""

from pathlib import Path

import trustme

from interop.service import Service

MECHANISMS = (
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-1",
    "CRAM-MD5",
    "LOGIN",
    "PLAIN",
    "EXTERNAL",
    "APOP",
    "USER",
)
OUR_SOURCE = '[[auth.source]]\ntype = "passwd-file"\n'
_VERIFIES = 'verifies = ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "APOP"]\n'


class AllMechanisms(Service):
    """A server of which a test asks one mechanism at a time."""

    def __init__(self, directory: Path, *mechanisms: str) -> None:
        self._clients = trustme.CA(organization_name="Clients")
        self._client_authorities = directory / "clients.pem"
        self._clients.cert_pem.write_to_path(str(self._client_authorities))
        named = ", ".join(f'"{name}"' for name in mechanisms or MECHANISMS)
        super().__init__(directory, mechanisms=named)

    def write_configuration(self) -> None:
        """Write the configuration, with what its sources verify and whose certificates count."""
        super().write_configuration()
        written = self.configuration.read_text()
        authorities = f'client_authorities = "{self._client_authorities}"\n'
        certificates = '[[auth.source]]\ntype = "certificate"\ncertificate_name = "common-name"\n'
        written = written.replace("[tls]\n", f"[tls]\n{authorities}", 1)
        written = written.replace(OUR_SOURCE, f"{OUR_SOURCE}{_VERIFIES}", 1)
        written = written.replace("[auth.throttle]\n", f"{certificates}[auth.throttle]\n", 1)
        self.configuration.write_text(written)

    def client_certificate(self, name: str, folder: Path) -> tuple[Path, Path]:
        """Issue a certificate for an account, and return where it and its key are."""
        issued = self._clients.issue_cert(common_name=name)
        certificate, key = folder / "client.pem", folder / "client.key"
        certificate.write_bytes(issued.cert_chain_pems[0].bytes())
        key.write_bytes(issued.private_key_pem.bytes())
        key.chmod(0o600)
        return certificate, key

    def ways_in(self, name: str) -> list[str]:
        """Return by which mechanisms somebody has logged in, in order."""
        return [
            line.partition(" mech=")[2].split()[0]
            for line in self.log().splitlines()
            if "login: " in line and f"user={name}" in line
        ]
