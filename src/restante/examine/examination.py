"""An examination: the server as it showed itself, and what was found case by case.

What the server said stands here as it came, every octet one character, secrets apart: the reports
see to it that nothing of it does harm where it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restante.examine.case import Finding
    from restante.examine.target import Tls


@dataclass(frozen=True, slots=True)
class Server:
    """The server under examination; `implementation` is what CAPA announces, or empty."""

    host: str
    port: int
    tls: Tls
    greeting: str
    implementation: str
    tls_version: str | None


@dataclass(frozen=True, slots=True)
class Examination:
    """One run of the suite.

    `capabilities` are those seen in "clear", under "tls" and in the "transaction" state; `started`
    is a moment in ISO 8601, `seconds` how long it all took.
    """

    server: Server
    capabilities: Mapping[str, Mapping[str, tuple[str, ...]]]
    findings: tuple[Finding, ...]
    seconds: float
    started: str
