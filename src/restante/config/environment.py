"""Checks of a configuration against this machine: files, users, whatever a text cannot tell."""

import os
import pwd
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path as FilePath

from restante.config.configuration import Configuration
from restante.config.findings import Findings
from restante.config.positions import Path

_EXTRAS = {"oauth2": ("h11", "joserfc"), "postgresql": ("asyncpg",)}
"""What sources need besides, by the extra that has it."""


def check_environment(configuration: Configuration, findings: Findings) -> None:
    """Find files that cannot be read and users that do not exist."""
    for path, file in _files(configuration):
        try:
            os.close(os.open(file, os.O_RDONLY))
        except OSError as error:
            findings.add(path, f"{file}: {error.strerror}")
        else:
            if file.is_dir():
                findings.add(path, f"{file} is a folder, not a file")
    for number, source in enumerate(configuration.auth.sources):
        needed = "postgresql" if source.sql is not None and source.sql.url else source.type
        for module in _EXTRAS.get(needed, ()):
            if find_spec(module) is None:
                extra = f"restante[{needed}]"
                findings.add(
                    ("auth", "source", number, "type"),
                    f'"{source.type}" needs the Python package {module}: install "{extra}"',
                )
        program = None if source.command is None else source.command.program
        if program is not None and program.is_file() and not os.access(program, os.X_OK):
            place = ("auth", "source", number, "command", "program")
            findings.add(place, f"{program} cannot be executed")
    for key in ("user", "auth_user"):
        user = getattr(configuration.server, key)
        if user is not None and not _exists(user):
            findings.add((key,), f"there is no user {user!r} on this machine")


def _files(configuration: Configuration) -> Iterator[tuple[Path, FilePath]]:
    tls = configuration.server.tls
    if tls.certificate is not None and tls.private_key is not None:
        yield ("tls", "certificate"), tls.certificate
        yield ("tls", "private_key"), tls.private_key
    for number, additional in enumerate(tls.additional):
        yield ("tls", "additional", number, "certificate"), additional.certificate
        yield ("tls", "additional", number, "private_key"), additional.private_key
    for number, source in enumerate(configuration.auth.sources):
        if source.path is not None:
            yield ("auth", "source", number, "path"), source.path
        for key in ("path", "password_file"):
            if (file := getattr(source.sql, key, None)) is not None:
                yield ("auth", "source", number, "sql", key), file
        if source.command is not None:
            yield ("auth", "source", number, "command", "program"), source.command.program
        for key in ("keys_file", "client_secret_file", "authorities"):
            if (file := getattr(source.oauth2, key, None)) is not None:
                yield ("auth", "source", number, "oauth2", key), file


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except (KeyError, ValueError):
        return False
    return True
