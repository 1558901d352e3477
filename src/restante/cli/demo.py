"""`restante demo`: a running server with one account and some mail, without any configuration.

It is the server itself, started by the same way as `serve`, on a folder of its own.
"""

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from restante import assembly
from restante.cli.demo_folder import ACCOUNT, DemoFolder
from restante.cli.options import json_option

DEFAULT_DIRECTORY = Path("restante-demo")

_TEXT = """\

Restante is running; Ctrl-C ends it. {count} messages wait for their owner:

    account    {account}
    password   {password}
    POP3       {pop3}, with STLS
    POP3S      {pop3s}

List them, and read the first one:

curl --cacert {certificate} --user {account}:{password} pop3s://{pop3s}/
curl --cacert {certificate} --user {account}:{password} pop3s://{pop3s}/1

The same on the other port, in clear and with TLS by STLS:

curl --user {account}:{password} pop3://{pop3}/3
curl --ssl-reqd --cacert {certificate} --user {account}:{password} pop3://{pop3}/4

Collect all of them with Python (`maildrop.dele(number)` would remove one):

python3 - <<'END'
import poplib, ssl
from email import message_from_bytes, policy
context = ssl.create_default_context(cafile={python_certificate})
maildrop = poplib.POP3_SSL("{host}", {pop3s_port}, context=context)
maildrop.user("{account}")
maildrop.pass_("{password}")
for number in range(1, maildrop.stat()[0] + 1):
    _, lines, octets = maildrop.retr(number)
    message = message_from_bytes(b"\\r\\n".join(lines), policy=policy.default)
    print(number, octets, message["Subject"])
maildrop.quit()
END

Put in another message, and see who is connected:

printf 'Subject: Hello\\n\\nHello again.\\n' | {program} deliver {account} --config {configuration}
{program} who --config {configuration}

Everything is in {directory}; remove it to begin anew. The log follows.

"""


@click.command()
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="Where all of it lies; made where it is not there.",
)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65_534),
    default=0,
    help="For POP3; N+1 is for POP3 over TLS. Without it: free ones.",
)
@json_option
def demo(directory: Path, port: int, *, as_json: bool) -> int:
    """Run a server with one account and some mail, without any configuration.

    Run again with the same folder it goes on where it was: the same account and password, and the
    mail that is left.
    """
    folder = DemoFolder(directory.absolute())
    password = folder.prepare(port)

    def announce(listeners: list[tuple[str, str]]) -> None:
        facts = _facts(folder, password, {mode: address for address, mode in listeners})
        print(json.dumps(facts) if as_json else _text(folder, facts), flush=True)

    return assembly.serve(folder.configuration, announce)


def _facts(folder: DemoFolder, password: str, addresses: dict[str, str]) -> dict[str, Any]:
    return {
        "directory": str(folder.directory),
        "config": str(folder.configuration),
        "account": ACCOUNT,
        "password": password,
        "pop3": _place(addresses["stls"]),
        "pop3s": _place(addresses["implicit"]),
        "certificate": str(folder.certificate),
    }


def _place(address: str) -> dict[str, str | int]:
    host, _, port = address.rpartition(":")
    return {"host": host, "port": int(port)}


def _text(folder: DemoFolder, facts: dict[str, Any]) -> str:
    pop3, pop3s = facts["pop3"], facts["pop3s"]
    return _TEXT.format(
        account=ACCOUNT,
        password=facts["password"],
        count=folder.message_count(),
        host=pop3s["host"],
        pop3=f"{pop3['host']}:{pop3['port']}",
        pop3s=f"{pop3s['host']}:{pop3s['port']}",
        pop3s_port=pop3s["port"],
        certificate=shlex.quote(facts["certificate"]),
        python_certificate=json.dumps(facts["certificate"]),
        program=_program(),
        configuration=shlex.quote(facts["config"]),
        directory=facts["directory"],
    )


def _program() -> str:
    """Return what to type to call this very program."""
    called = Path(sys.argv[0])
    if called.name != "restante":
        return f"{shlex.quote(sys.executable)} -m restante"
    found = shutil.which("restante")
    if found is not None and Path(found).absolute() == called.absolute():
        return "restante"
    # It will be typed in another terminal, in whatever folder that is.
    return shlex.quote(str(called.absolute()))
