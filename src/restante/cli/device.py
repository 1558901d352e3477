"""`restante device`: passwords for single devices and programs of an account."""

import re
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import click

from restante import assembly
from restante.cli.options import config_option, json_option, print_json
from restante.config import loading

_COLUMNS = ("device", "state", "mechanism", "rights", "networks", "expires", "last used")
_DAY_SECONDS = 86_400


def _expiry(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """Return the second from which on nothing is let in any more."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,5}", value):
        return int(time.time()) + int(value) * _DAY_SECONDS
    try:
        last = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise click.BadParameter("neither days nor a date such as 2027-12-31") from None
    return int((last + timedelta(days=1)).timestamp())


@click.group()
def device() -> None:
    """Give devices and programs passwords of their own, show and revoke them."""


@device.command()
@click.argument("account")
@click.argument("name", metavar="DEVICE")
@config_option
@json_option
@click.option(
    "--mechanism",
    type=click.Choice(["any", "apop", "cram-md5"]),
    default="any",
    show_default=True,
    help="any: every one but APOP and CRAM-MD5. Those exclude all others, and have the password"
    " kept, sealed.",
)
@click.option(
    "--expires",
    metavar="DAYS|DATE",
    callback=_expiry,
    help="In so many days, or at the end of a day (UTC).",
)
@click.option(
    "--network",
    "networks",
    metavar="CIDR",
    multiple=True,
    help="Where it may come from; may be given several times.",
)
@click.option("--read-only", is_flag=True, help="Mail may be collected and not be removed.")
def add(
    account: str,
    name: str,
    file: Path,
    *,
    as_json: bool,
    mechanism: Literal["any", "apop", "cram-md5"],
    expires: int | None,
    networks: tuple[str, ...],
    read_only: bool,
) -> None:
    """Add a device and print its password, which is shown this once.

    Groups and capitals make no difference where the password is typed.
    """
    with closing(assembly.accounts(loading.load(file))) as accounts:
        secret = assembly.devices(accounts).add(
            account,
            name,
            mechanism=mechanism,
            networks=networks,
            expires_at=expires,
            read_only=read_only,
        )
        password = secret.reveal().decode("ascii")
        if as_json:
            canonical = accounts.show(account).name
            print_json({"account": canonical, "device": name, "password": password})
        else:
            click.echo(password)


@device.command("list")
@click.argument("account")
@config_option
@json_option
def list_(account: str, file: Path, *, as_json: bool) -> None:
    """List the devices of an account, with their last use."""
    with closing(assembly.accounts(loading.load(file))) as accounts:
        found = assembly.devices(accounts).list(account)
    if as_json:
        print_json([_described(each) for each in found])
        return
    rows = [_COLUMNS, *map(_row, found)] if found else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@device.command()
@click.argument("account")
@click.argument("name", metavar="DEVICE")
@config_option
def revoke(account: str, name: str, file: Path) -> None:
    """Refuse every login of a device from now on, and forget it."""
    with closing(assembly.accounts(loading.load(file))) as accounts:
        assembly.devices(accounts).revoke(account, name)


def _described(described: Any) -> dict[str, Any]:
    device, last = described.device, described.last_use
    return {
        "device": device.name,
        "state": described.state(time.time()),
        "mechanism": device.mechanism,
        "read_only": device.read_only,
        "networks": device.networks.split(),
        "expires_at": device.expires_at,
        "created_at": described.created_at,
        "last_use": last and last._asdict(),
    }


def _row(described: Any) -> tuple[str, ...]:
    device, last = described.device, described.last_use
    return (
        device.name,
        described.state(time.time()),
        device.mechanism,
        "read only" if device.read_only else "all",
        device.networks or "-",
        "-" if device.expires_at is None else _shown(device.expires_at),
        f"{_shown(last.at)} from {last.address} by {last.mechanism}" if last else "-",
    )


def _shown(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
