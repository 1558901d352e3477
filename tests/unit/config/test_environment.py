"""A configuration against this machine."""

from pathlib import Path

import pytest

from restante.config import environment
from restante.config.environment import check_environment
from restante.config.loading import parse
from unit.config.written import LISTENER


def said(text: str, folder: Path) -> list[str]:
    """Return what is said about a text in a folder, without its path."""
    configuration = parse(text, folder / "restante.toml")
    findings = configuration.findings()
    check_environment(configuration, findings)
    return [line.replace(f"{folder}/", "") for line in findings.lines()]


TLS = '[tls]\ncertificate = "c.pem"\nprivate_key = "k.pem"\n'


def test_files_that_are_there_are_found(tmp_path: Path) -> None:
    (tmp_path / "c.pem").touch()
    (tmp_path / "k.pem").touch()
    (tmp_path / "passwd").touch()
    text = LISTENER + TLS + '[[auth.source]]\ntype = "passwd-file"\npath = "passwd"\n'
    assert said('user = "root"\nauth_user = "root"\n' + text, tmp_path) == []


def test_every_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = (
        LISTENER
        + TLS
        + '[[tls.additional]]\nnames = ["a"]\ncertificate = "d.pem"\nprivate_key = "l.pem"\n'
        + '[[auth.source]]\ntype = "passwd-file"\npath = "passwd"\n'
    )
    missing = "No such file or directory"
    assert said(text, tmp_path) == [
        f"restante.toml:7: tls.certificate: c.pem: {missing}",
        f"restante.toml:8: tls.private_key: k.pem: {missing}",
        f"restante.toml:11: tls.additional[0].certificate: d.pem: {missing}",
        f"restante.toml:12: tls.additional[0].private_key: l.pem: {missing}",
        f"restante.toml:15: auth.source[0].path: passwd: {missing}",
    ]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "c.pem").mkdir()
    (tmp_path / "k.pem").touch()
    assert said(LISTENER + TLS, tmp_path) == [
        "restante.toml:7: tls.certificate: c.pem is a folder, not a file",
    ]


@pytest.mark.parametrize("key", ["user", "auth_user"])
def test_a_user_has_to_exist(tmp_path: Path, key: str) -> None:
    assert said(f'\n{key} = "nobody-of-this-name"\n' + LISTENER, tmp_path) == [
        f"restante.toml:2: {key}: there is no user 'nobody-of-this-name' on this machine",
    ]


OAUTH2 = (
    LISTENER
    + '[[auth.source]]\ntype = "oauth2"\n[auth.source.oauth2]\n'
    + 'introspection_url = "https://id.example.org/"\nclient_id = "pop"\n'
    + 'client_secret_file = "secret"\nauthorities = "ca.pem"\n'
)


def test_files_of_an_issuer_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    assert said(OAUTH2, tmp_path) == [
        "restante.toml:11: auth.source[0].oauth2.client_secret_file: secret: No such file or"
        " directory"
    ]


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "secret").touch()
    assert said(OAUTH2, tmp_path) == []
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    assert said(OAUTH2, tmp_path) == [
        f'restante.toml:7: auth.source[0].type: "oauth2" needs the Python package {name}: install'
        ' "restante[oauth2]"'
        for name in ("h11", "joserfc")
    ]


def test_a_command_has_to_be_there_and_to_be_executable(tmp_path: Path) -> None:
    text = (
        LISTENER
        + '[[auth.source]]\ntype = "command"\n[auth.source.command]\nprogram = "checkpassword"\n'
    )
    place = "restante.toml:9: auth.source[0].command.program: checkpassword"
    assert said(text, tmp_path) == [f"{place}: No such file or directory"]
    (tmp_path / "checkpassword").touch()
    assert said(text, tmp_path) == [f"{place} cannot be executed"]
    (tmp_path / "checkpassword").chmod(0o755)
    assert said(text, tmp_path) == []


def test_what_a_query_needs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = LISTENER + '[[auth.source]]\ntype = "sql"\n[auth.source.sql]\nquery = "SELECT :name"\n'
    place = "restante.toml:10: auth.source[0].sql"
    missing = "No such file or directory"
    assert said(head + 'path = "db"\n', tmp_path) == [f"{place}.path: db: {missing}"]
    url = head + 'password_file = "p"\nurl = "postgresql://pop@db/mail"\n'
    assert said(url, tmp_path) == [f"{place}.password_file: p: {missing}"]
    (tmp_path / "p").touch()
    assert said(url, tmp_path) == []
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    assert said(url, tmp_path) == [
        'restante.toml:7: auth.source[0].type: "sql" needs the Python package asyncpg: install'
        ' "restante[postgresql]"'
    ]
