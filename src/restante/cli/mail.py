"""`restante mail`: what the next session of an account would see; nothing is locked or changed."""

import sys
from pathlib import Path

import click

from restante import assembly
from restante.cli.options import config_option, json_option, print_json
from restante.config import loading


@click.group()
def mail() -> None:
    """Show what the next session of an account would see."""


@mail.command("list")
@click.argument("account")
@config_option
@json_option
def list_(account: str, file: Path, *, as_json: bool) -> None:
    """List number, octets and unique-id of every message."""
    listing = assembly.listing(loading.load(file), account)
    rows = [
        (number, listing.size(number), listing.unique_id(number).decode("ascii"))
        for number in range(1, listing.count + 1)
    ]
    if as_json:
        print_json(
            [
                {"number": number, "octets": octets, "unique_id": unique_id}
                for number, octets, unique_id in rows
            ]
        )
        return
    for number, octets, unique_id in rows:
        click.echo(f"{number:>6} {octets:>12} {unique_id}")


@mail.command()
@click.argument("account")
@click.argument("number", type=click.IntRange(min=1))
@config_option
def show(account: str, number: int, file: Path) -> None:
    """Write a message to standard output, octet for octet as a session would receive it."""
    for piece in assembly.message(loading.load(file), account, number):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
