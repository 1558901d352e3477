"""`restante examine`: the conformance suite against any server."""

import sys

import click

from restante.cli.options import json_option, password_option, print_json, read_password
from restante.examine.accounts import GivenAccounts
from restante.examine.case import Case, Finding, Verdict
from restante.examine.examination import examine as run_examination
from restante.examine.suite import CASES
from restante.examine.target import Account, Endpoint, Target, Tls

DEFAULT_PORTS = {Tls.IMPLICIT: 995, Tls.STLS: 110, Tls.NONE: 110}


@click.command()
@click.argument("host")
@click.option("--user", metavar="NAME", required=True, help="The account to log in with.")
@click.option("--tls", type=click.Choice([each.value for each in Tls]), default="implicit")
@click.option("--patience", type=float, default=20.0, help="Seconds to wait for each reply.")
@password_option
@json_option
def examine(
    host: str, user: str, tls: str, patience: float, *, from_stdin: bool, as_json: bool
) -> int:
    """Try the conformance suite against the server at HOST[:PORT]."""
    password = read_password(from_stdin=from_stdin).reveal().decode()
    name, _, port = host.rpartition(":")
    kind = Tls(tls)
    endpoint = Endpoint(name or port, int(port) if name else DEFAULT_PORTS[kind], kind, True)
    target = Target((endpoint,), GivenAccounts(Account(user, password)), patience)

    def progress(case: Case, finding: Finding | None) -> None:
        if finding is not None and not as_json:
            print(f"{finding.verdict.value:15} {case.name}  {case.title}: {finding.why!a}")

    examination = run_examination(target, CASES, progress)
    if as_json:
        print_json({f.case.name: f.verdict.value for f in examination.findings})
    sys.stdout.flush()
    return int(any(f.verdict is Verdict.DEPARTS for f in examination.findings))
