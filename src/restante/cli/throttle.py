"""`restante throttle`: what the running server holds against addresses, networks and accounts."""

from pathlib import Path
from typing import Any

import click

from restante import assembly
from restante.cli.options import config_option, json_option, print_json

_COLUMNS = ("kind", "what", "failures", "last", "delay")


@click.group()
def throttle() -> None:
    """Show or forgive what slows down logins."""


@throttle.command("list")
@config_option
@json_option
def list_(file: Path, *, as_json: bool) -> None:
    """List addresses, networks and accounts that failed lately, those with a delay first."""
    reply: Any = assembly.control(file).request("throttle list")
    if as_json:
        print_json(reply)
        return
    rows = [_row(held) for held in reply["held"]]
    if rows:
        rows.insert(0, _COLUMNS)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    if reply["left_off"]:
        click.echo(f"and {reply['left_off']} more")


def _row(held: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(held["kind"]),
        # A name is what a client sent.
        ascii(held["name"] or "-")[1:-1],
        str(held["failures"]),
        f"{held['seconds_ago']:.0f}s",
        f"{held['delay_seconds']:.0f}s" if held["delay_seconds"] else "-",
    )


@throttle.command()
@click.argument("target", required=False, metavar="[ADDRESS|NETWORK|ACCOUNT]")
@click.option("--all", "everything", is_flag=True, help="Forget every failure.")
@config_option
def forgive(file: Path, target: str | None, *, everything: bool) -> None:
    """Forget what an address, a network or an account failed at; logins that wait go on.

    A network takes all addresses in it along. Of a larger network than that, what was counted for
    them is taken off.
    """
    if everything == (target is not None):
        raise click.UsageError("name an address, a network or an account, or say --all")
    fields = {} if target is None else {"target": target}
    forgiven = assembly.control(file).request("throttle forgive", **fields)["forgiven"]
    click.echo(f"forgiven: {forgiven}")
