"""Mechanisms by the settings of sources."""

from pathlib import Path

from restante.auth.oauth2.options import OAuth2Options
from restante.auth.options import AuthOptions, HashOptions, SourceOptions
from restante.auth.verifiable import verifiable

BY_PASSWORD = {"USER", "PLAIN", "LOGIN"}
BY_SCRAM = {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}
BY_DEVICES = {"APOP", "CRAM-MD5"}
FILE = SourceOptions(type="passwd-file", path=Path("passwd"))
OLD_FILE = SourceOptions(
    type="passwd-file", path=Path("old"), verifies=("APOP", "CRAM-MD5", "SCRAM-SHA-1")
)


def offered(*sources: SourceOptions, hashing: HashOptions | None = None) -> frozenset[str]:
    options = AuthOptions(
        state_directory=Path("/nowhere"), sources=sources, hashing=hashing or HashOptions()
    )
    return verifiable(options)


def test_each_source_says_its_own() -> None:
    assert offered() == set()
    assert offered(SourceOptions()) == BY_PASSWORD | BY_SCRAM | BY_DEVICES
    assert offered(SourceOptions(), hashing=HashOptions(scram=())) == BY_PASSWORD | BY_DEVICES
    assert offered(FILE) == BY_PASSWORD
    assert offered(OLD_FILE) == BY_PASSWORD | {
        "APOP",
        "CRAM-MD5",
        "SCRAM-SHA-1",
        "SCRAM-SHA-1-PLUS",
    }
    assert offered(SourceOptions(type="certificate")) == {"EXTERNAL"}
    issuer = OAuth2Options(keys_file=Path("keys"), issuer="x", audience=("y",))
    issued = SourceOptions(type="oauth2", oauth2=issuer)
    assert offered(issued) == {"OAUTHBEARER", "XOAUTH2"}


def test_one_source_is_enough() -> None:
    assert offered(FILE, SourceOptions()) == BY_PASSWORD | BY_SCRAM | BY_DEVICES
    assert offered(SourceOptions(type="certificate"), FILE) == BY_PASSWORD | {"EXTERNAL"}
