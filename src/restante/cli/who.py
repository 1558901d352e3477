"""`restante who`: the listeners and sessions of the running server."""

from pathlib import Path
from typing import Any

import click

from restante import assembly
from restante.cli.options import config_option, json_option, print_json

_COLUMNS = ("session", "account", "address", "tls", "state", "idle", "messages")


@click.command()
@config_option
@json_option
def who(file: Path, *, as_json: bool) -> None:
    """Show the listeners and sessions of the running server."""
    reply = assembly.control(file).request("who")
    if as_json:
        print_json(reply)
        return
    listeners: Any = reply["listeners"]
    sessions: Any = reply["sessions"]
    for listener in listeners:
        click.echo(f"listening on {listener['address']} ({listener['tls']})")
    rows = [_COLUMNS, *(_row(session) for session in sessions)] if sessions else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _row(session: dict[str, Any]) -> tuple[str, ...]:
    host = session["address"]
    address = f"[{host}]:{session['port']}" if ":" in host else f"{host}:{session['port']}"
    return (
        str(session["session"]),
        ascii(session.get("account") or "-")[1:-1],
        address,
        str(session.get("tls") or "-").partition("/")[0],
        str(session.get("state") or "-"),
        f"{session['idle_seconds']:.0f}s",
        str(session.get("messages", "-")),
    )
