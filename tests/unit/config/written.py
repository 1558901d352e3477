"""Configuration texts for tests: one that is right, and what is said about one that is not."""

from pathlib import Path

import pytest

from restante.config.loading import parse
from restante.errors import ConfigurationError

FILE = Path("/etc/restante/restante.toml")

RIGHT = """\
hostname = "pop.example.org"
state_directory = "/var/lib/restante"
workers = 2

[[listener]]
address = "127.0.0.1:110"

[[listener]]
address = "[::1]:995"
tls = "implicit"

[tls]
certificate = "/etc/restante/fullchain.pem"
private_key = "/etc/restante/privkey.pem"

[[tls.additional]]
names = ["pop.example.net", "*.example.com"]
certificate = "net/fullchain.pem"
private_key = "net/privkey.pem"

[auth]
default_domain = "example.org"
cleartext = "loopback"
mechanisms = ["USER"]

[[auth.source]]
type = "passwd-file"
path = "passwd"

[[auth.source]]
type = "accounts"

[[auth.source]]
type = "oauth2"

[auth.source.oauth2]
keys_url = "https://id.example.org/keys"
issuer = "https://id.example.org"
audience = ["pop.example.org"]

[[auth.source]]
type = "command"

[auth.source.command]
program = "/usr/local/bin/checkpassword"

[auth.source.asking]
at_once = 2

[[auth.source]]
type = "sql"

[auth.source.sql]
path = "accounts.sqlite"
query = "SELECT password FROM people WHERE name = :name"

[auth.throttle]
first_delay_seconds = 1

[mail]
path = "mail/{domain}/{local}"

[limits]
connections = 50
autologout_seconds = 600
"""

LISTENER = '[[listener]]\naddress = "127.0.0.1:110"\ntls = "none"\n[auth]\ncleartext = "always"\n'
"""The least that can be served."""


def findings(text: str, file: Path = FILE) -> list[str]:
    """Return what is said about a text, without the name of the file; `LINE: ` may begin it."""
    with pytest.raises(ConfigurationError) as caught:
        parse(text, file)
    return [line.removeprefix(f"{file}:").lstrip() for line in str(caught.value).split("\n")]
