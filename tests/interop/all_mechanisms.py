"""A service that offers every mechanism its sources can verify."""

from pathlib import Path

from interop.service import Service

from serving import ALL_MECHANISMS, ALL_VERIFIED


class AllMechanisms(Service):
    """A server of which a test asks one mechanism at a time."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            directory,
            mechanisms=ALL_MECHANISMS,
            verifies=ALL_VERIFIED,
            client_certificates=True,
        )

    def ways_in(self, name: str) -> list[str]:
        """Return by which mechanisms somebody has logged in, in order."""
        return [
            line.partition(" mech=")[2].split()[0]
            for line in self.log().splitlines()
            if "login: " in line and f"user={name}" in line
        ]
