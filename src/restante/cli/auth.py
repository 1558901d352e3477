"""`restante auth`: what would come of a login, and why."""

import ssl
from dataclasses import asdict
from pathlib import Path
from typing import Any

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
from restante.secret import Secret

REFUSED = 1
"""The exit status of a login that would be refused."""

_WORDS = {
    "unknown": "no source knows this name",
    "password": "the password is wrong",
    "digest": "the password is wrong, or none is kept for this mechanism",
    "no verifier": "the account has nothing for this mechanism: set its password anew",
    "disabled": "the account is disabled",
    "authorization": "the proof is somebody else's",
    "mechanism": "no source serves this mechanism",
    "certificate": "the certificate names nobody, or nobody alone",
    "token": "the token is nobody's",
}


@click.group()
def auth() -> None:
    """Try a login, and be told what comes of it and why."""


@auth.command()
@click.argument("name")
@config_option
@json_option
@password_option
@click.option(
    "--mechanism",
    metavar="MECHANISM",
    type=click.Choice(assembly.trial_mechanisms(), case_sensitive=False),
    default="PLAIN",
    show_default=True,
    help="How the proof is made of the password or token: USER, SCRAM-SHA-256, APOP and so on.",
)
@click.option(
    "--address",
    default="127.0.0.1",
    show_default=True,
    help="Where the client would come from.",
)
@click.option(
    "--certificate",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The client's certificate, for EXTERNAL.",
)
def test(
    name: str,
    file: Path,
    mechanism: str,
    address: str,
    certificate: Path | None,
    *,
    as_json: bool,
    from_stdin: bool,
) -> int:
    """Say which source answers for NAME, with what, and why.

    Nothing is counted against anybody, and no running server is asked. The exit status is 1 where
    the login would be refused.
    """
    configuration = loading.load(file)
    if (mechanism == "EXTERNAL") != (certificate is not None):
        raise click.UsageError("EXTERNAL takes --certificate, and nothing else does")
    if certificate is not None:
        secret = _certificate(certificate)
    else:
        secret = read_password(from_stdin=from_stdin, once=True)
    trial = assembly.try_login(configuration, name, secret, mechanism, address)
    found = asdict(trial) | {"admitted": trial.reason is None}
    if as_json:
        print_json(found)
    else:
        _print(found)
    return 0 if trial.reason is None else REFUSED


def _certificate(path: Path) -> Secret:
    try:
        return Secret(ssl.PEM_cert_to_DER_cert(path.read_text()))
    except ValueError:
        raise click.UsageError("--certificate: no certificate in PEM") from None


def _print(found: dict[str, Any]) -> None:
    click.echo(f"answer      {'let in' if found['admitted'] else 'refused'}")
    click.echo(f"why         {_why(found)}")
    click.echo(f"mechanism   {found['mechanism']}")
    click.echo(f"name        {found['account'] or found['name'] or '(nobody can have this name)'}")
    if found["source"] is not None:
        state = ", disabled" if found["disabled"] else ""
        click.echo(f"source      {found['source']}{state}")
        click.echo(f"kept        {', '.join(found['kept']) or 'nothing'}")
    if found["mailbox"] is not None:
        click.echo(f"mailbox     {found['mailbox']}")
    if found["device"]:
        rights = " (read-only)" if found["read_only"] else ""
        click.echo(f"device      {found['device']}{rights}")
    for note in found["notes"]:
        click.echo(f"note        {note}")


def _why(found: dict[str, Any]) -> str:
    reason: str | None = found["reason"]
    if reason is None:
        return f"the proof is that of {'a device' if found['device'] else 'the account'}"
    if not found["verifiable"]:
        reason = "mechanism"
    return _WORDS.get(reason, reason)
