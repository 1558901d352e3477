"""`config`: checked, shown, explained."""

import json
from pathlib import Path

import pytest

from restante.config.explaining import to_markdown
from unit.cli.conftest import Command


def test_a_right_configuration_passes(command: Command, configuration: Path) -> None:
    outcome = command("config", "check", "--config", configuration)
    assert (outcome.status, outcome.out, outcome.err) == (0, f"{configuration}: ok\n", "")


def test_a_check_looks_at_the_certificate(command: Command, configuration: Path) -> None:
    folder = configuration.parent
    configuration.write_text(
        configuration.read_text() + '[tls]\ncertificate = "c.pem"\nprivate_key = "k.pem"\n'
    )
    (folder / "c.pem").write_text("no certificate")
    (folder / "k.pem").write_text("no key")
    outcome = command("config", "check", "--config", configuration)
    assert outcome.status == 78
    assert outcome.err.startswith(f"{configuration}:17: tls.certificate: ")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["auth.cleartext"], "loopback\n"),
        (["auth.cleartext", "--json"], '"loopback"\n'),
        (["limits.connections"], "10000\n"),
        (["auth.mechanisms"], '["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "USER"]\n'),
        (["listener[0]"], 'address = "127.0.0.1:0"\ntls = "none"\nproxy_protocol = []\n'),
    ],
)
def test_one_setting_is_shown(
    command: Command, configuration: Path, arguments: list[str], printed: str
) -> None:
    assert command("config", "show", *arguments, "--config", configuration).out == printed


def test_all_settings_are_shown(command: Command, configuration: Path) -> None:
    text = command("config", "show", "--config", configuration).out
    assert "\n[limits]\nconnections = 10000\n" in text
    shown = json.loads(command("config", "show", "--json", "--config", configuration).out)
    assert shown["limits"]["connections"] == 10000
    changed = json.loads(
        command("config", "show", "--json", "--changed", "--config", configuration).out
    )
    assert changed == {
        "state_directory": f"{configuration.parent}/state",
        "listener": [{"address": "127.0.0.1:0", "tls": "none"}],
        "auth": {"cleartext": "loopback", "hashing": {"memory_kib": 8, "passes": 1}},
        "mail": {"path": f"{configuration.parent}/mail/{{name}}"},
    }


def test_a_setting_is_explained_without_any_file(command: Command) -> None:
    outcome = command("config", "explain", "mail.path", "--config", "/nowhere")
    assert outcome.status == 0
    assert outcome.out.startswith("mail.path\n    a string; default: ")


def test_the_reference_page_is_printed(command: Command) -> None:
    assert command("config", "explain", "--markdown").out == to_markdown()
