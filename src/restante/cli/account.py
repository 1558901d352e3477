"""`restante account`: the accounts of our own database."""

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from restante import assembly
from restante.cli.options import (
    config_option,
    json_option,
    password_option,
    print_json,
    read_password,
)
from restante.config import loading


@click.group()
def account() -> None:
    """Add, list, change and remove accounts."""


@account.command()
@click.argument("name")
@config_option
@password_option
@click.option(
    "--mailbox",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Where its mail lies, instead of where mail.path says.",
)
def add(name: str, file: Path, *, from_stdin: bool, mailbox: Path | None) -> None:
    """Add an account."""
    configuration = loading.load(file)
    with closing(assembly.accounts(configuration)) as accounts:
        prepared = accounts.check_new(name)
        if mailbox is None:
            assembly.mailbox(configuration, prepared)
        password = read_password(from_stdin=from_stdin)
        accounts.add(name, password, mailbox and mailbox.absolute())


@account.command("list")
@config_option
@json_option
def list_(file: Path, *, as_json: bool) -> None:
    """List the accounts by name."""
    with closing(assembly.accounts(loading.load(file))) as accounts:
        found = accounts.list()
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        click.echo(f"{each.name}{'  (disabled)' if each.disabled else ''}")


@account.command()
@click.argument("name")
@config_option
@json_option
def show(name: str, file: Path, *, as_json: bool) -> None:
    """Show one account, with its devices and the path where its mail lies."""
    configuration = loading.load(file)
    with closing(assembly.accounts(configuration)) as accounts:
        found = accounts.show(name)
        devices = [each.device.name for each in assembly.devices(accounts).list(name)]
    mailbox = found.mailbox or assembly.mailbox(configuration, found.name)
    if as_json:
        print_json(asdict(found) | {"mailbox": mailbox, "devices": devices})
        return
    click.echo(f"name      {found.name}")
    click.echo(f"state     {'disabled' if found.disabled else 'enabled'}")
    click.echo(f"mailbox   {mailbox or '(in memory)'}")
    click.echo(f"scram     {', '.join(found.scram) or 'none'}")
    click.echo(f"created   {datetime.fromtimestamp(found.created_at, UTC):%Y-%m-%d %H:%M} UTC")
    click.echo(f"devices   {', '.join(devices) or 'none'}")


@account.command()
@click.argument("name")
@config_option
@password_option
def password(name: str, file: Path, *, from_stdin: bool) -> None:
    """Replace the password of an account; the old one is worth nothing from then on."""
    with closing(assembly.accounts(loading.load(file))) as accounts:
        accounts.show(name)
        accounts.set_password(name, read_password(from_stdin=from_stdin))


@account.command()
@click.argument("name")
@config_option
def disable(name: str, file: Path) -> None:
    """Refuse every login of an account from now on."""
    with closing(assembly.accounts(loading.load(file))) as accounts:
        accounts.disable(name)


@account.command()
@click.argument("name")
@config_option
def enable(name: str, file: Path) -> None:
    """Let a disabled account log in again."""
    with closing(assembly.accounts(loading.load(file))) as accounts:
        accounts.enable(name)


@account.command()
@click.argument("name")
@config_option
def remove(name: str, file: Path) -> None:
    """Forget an account and its devices; its mail stays where it is."""
    with closing(assembly.accounts(loading.load(file))) as accounts:
        accounts.remove(name)
