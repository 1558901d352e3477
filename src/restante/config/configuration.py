"""Configuration: all settings of one file, in the types that the parts of the server take."""

from dataclasses import dataclass, field
from pathlib import Path

from restante.auth.options import AuthOptions
from restante.config.findings import Findings, undotted
from restante.config.positions import Positions
from restante.errors import ConfigurationError
from restante.server.options import ServerOptions
from restante.stores.options import MailOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One version of the configuration, free of findings as far as the file alone can tell."""

    file: Path
    server: ServerOptions
    auth: AuthOptions
    mail: MailOptions
    positions: Positions = field(repr=False, compare=False)

    def findings(self) -> Findings:
        """Return an empty list of findings about this file."""
        return Findings(self.file, self.positions)

    def locate(self, error: ConfigurationError) -> ConfigurationError:
        """Return an error that says `key: sentence` with file and line before it."""
        key, colon, sentence = str(error).partition(": ")
        findings = self.findings()
        if colon:
            findings.add(undotted(key), sentence)
        else:
            findings.add((), str(error))
        return ConfigurationError("\n".join(findings.lines()))
