"""Every setting is explained, in one place, and the reference page is that text."""

from pathlib import Path
from typing import get_args

import pytest

from restante.config.explaining import explain, to_markdown
from restante.config.shape import ROOT, Table, meaning_of
from restante.server.options import Mechanism

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


@pytest.mark.parametrize("table", list(ROOT.walk()), ids=lambda table: table.name or "root")
def test_every_setting_has_a_meaning(table: Table) -> None:
    for setting in table.settings().values():
        assert meaning_of(table, setting).endswith("."), setting.key


def test_one_setting() -> None:
    assert explain("limits.connections") == (
        "limits.connections\n"
        "    a whole number; default: 10000\n"
        "    Connections in all, over all workers.\n"
    )
    assert '"implicit" or "stls" or "none"; default: "stls"' in explain("listener[3].tls")
    assert "default: has to be set" in explain("listener.address")
    assert "default: one per processor" in explain("workers")
    assert "default: not set" in explain("user")
    known = " or ".join(f'"{name}"' for name in get_args(Mechanism))
    default = '["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "USER"]'
    assert f"a list of {known}; default: {default}" in explain("auth.mechanisms")


def test_a_table_with_those_below_it() -> None:
    text = explain("auth")
    assert text.startswith("[auth]\n")
    assert "\n[[auth.source]]\n" in text
    assert "limits.connections" not in text


def test_everything() -> None:
    text = explain(None)
    for table in ROOT.walk():
        for key in table.settings():
            assert f"{table.name}.{key}".removeprefix(".") + "\n" in text


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("limits.conections", "limits.connections"),
        ("connections", "limits.connections"),
        ("mail.pth", "mail.path"),
    ],
)
def test_what_may_have_been_meant(key: str, meant: str) -> None:
    with pytest.raises(KeyError, match=f'did you mean "{meant}"'):
        explain(key)


def test_what_nobody_can_guess() -> None:
    with pytest.raises(KeyError, match="there is no setting 'zzzzzz'\""):
        explain("zzzzzz")


def test_the_reference_page_is_fresh() -> None:
    """Made anew by `restante config explain --markdown > docs/reference/configuration.md`."""
    assert PAGE.read_text() == to_markdown()
