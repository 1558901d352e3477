"""Generated pages are what would be written now, and leave nothing out."""

from pathlib import Path

import click
import pytest

from restante.cli import failures
from restante.cli.program import SUBCOMMANDS, restante
from restante.telemetry import Event
from unit.docs.generators import generator


@pytest.mark.parametrize("name", ["generate_cli", "generate_log"])
def test_the_page_is_what_would_be_written(name: str) -> None:
    module = generator(name)
    assert module.PAGE.read_text() == module.page(), "run `make docs`"


def test_every_command_has_its_section() -> None:
    text = generator("generate_cli").page()
    for name in SUBCOMMANDS:
        assert f"### `restante {name}" in text


def test_every_command_of_a_configured_server_takes_the_configuration() -> None:
    module = generator("generate_cli")
    context = click.Context(restante, info_name="restante")
    for command, _ in module.commands(restante, context):
        takes = any(parameter.name == module.COMMON for parameter in command.params)
        assert takes == (command.name not in ("demo", "examine")), command.name


def test_every_exit_status_is_explained() -> None:
    statuses = {name for name, value in vars(failures).items() if isinstance(value, int)}
    assert set(generator("generate_cli").STATUSES) == statuses


def test_every_event_has_a_meaning() -> None:
    assert set(generator("generate_log").MEANINGS) == set(Event)


LOGS = """
class Driver:
    def greet(self, log):
        log(Event.LOGIN, peer=1, user=2)
        self.service.flood_log(Event.LOGOUT, user=3)
        other(Event.READY, no=4)

    def refuse(self, event=Event.AUTH_FAILED):
        self.log(event, mech=5)
        self.drop("kicked")
"""


def test_events_are_found_where_they_are_logged(tmp_path: Path) -> None:
    """A call that takes its event from a variable logs what is named elsewhere."""
    module = generator("generate_log")
    (tmp_path / "driver.py").write_text(LOGS)
    found = module.written(tmp_path)
    assert {event: (each.fields, each.limited) for event, each in found.items()} == {
        Event.LOGIN: (["peer", "user"], False),
        Event.LOGOUT: (["user"], True),
        Event.AUTH_FAILED: (["mech"], False),
        Event.READY: (["mech"], False),
    }


def test_a_reason_without_a_meaning_is_an_error(tmp_path: Path) -> None:
    module = generator("generate_log")
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "driver.py").write_text(LOGS)
    assert "kicked" in module.reasons(tmp_path)
    (tmp_path / "server" / "other.py").write_text('connection.drop("of boredom")\n')
    with pytest.raises(module.Undescribed, match="of boredom"):
        module.reasons(tmp_path)
