"""`restante examine`: the conformance suite against any server."""

import contextlib
import math
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from restante.cli.examine_asked import Asked
from restante.cli.examine_output import ReportFile, Telling, show_list
from restante.cli.failures import (
    DATA,
    INTERRUPTED,
    NO_HOST,
    NO_INPUT,
    NO_PERMISSION,
    PROTOCOL,
    TEMPORARY,
    UNAVAILABLE,
    CommandFailed,
)
from restante.cli.options import json_option, print_json
from restante.examine.accounts import NO_ACCOUNTS, GivenAccounts
from restante.examine.case import Case, Verdict
from restante.examine.doors import Door
from restante.examine.examination import Examination
from restante.examine.examination import examine as try_all
from restante.examine.first_look import FirstLook, look_at
from restante.examine.obstacle import CannotExamine, Obstacle
from restante.examine.outcome import NotTried
from restante.examine.pace import Pace
from restante.examine.reports.as_json import as_json as in_json
from restante.examine.reports.html import as_html
from restante.examine.reports.junit import as_junit
from restante.examine.reports.text import write_summary
from restante.examine.target import Account, Consent, Endpoint, Target, Tls
from restante.examine.visit import Visitor

DEPARTS = 1
LOGIN_PATIENCE_SECONDS = 60.0
"""Servers answer a login that follows wrong ones late, to slow down who guesses."""
STATUSES = {
    Obstacle.HOST: NO_HOST,
    Obstacle.CONNECTION: UNAVAILABLE,
    Obstacle.PROTOCOL: PROTOCOL,
    Obstacle.CERTIFICATE: PROTOCOL,
    Obstacle.CREDENTIALS: NO_PERMISSION,
    Obstacle.BUSY: TEMPORARY,
    Obstacle.DOOR: UNAVAILABLE,
    Obstacle.MAILDROP: DATA,
}


class Seconds(click.FloatRange):
    """A time to wait, which has to end."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, if it is one."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail("nan is no number of seconds", param, ctx)
        return seconds


_SECONDS = Seconds(0, 86_400, min_open=True)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("host", required=False, metavar="HOST[:PORT]")
@click.option("--user", metavar="NAME", help="The account to log in with.")
@click.option(
    "--tls",
    type=click.Choice([each.value for each in (Tls.IMPLICIT, Tls.STLS, Tls.NONE)]),
    help="How the port comes to TLS; with none, the password goes in clear."
    "  [default: stls on port 110, else implicit]",
)
@click.option(
    "--password-stdin",
    "password_stdin",
    is_flag=True,
    help="Read the password from the first line of standard input instead of asking for it;"
    " that of --second-user from the second.",
)
@click.option("--second-user", metavar="NAME", help="Another account, its maildrop empty.")
@click.option(
    "--oauth-token-file",
    metavar="FILE",
    type=_FILE,
    help="A bearer token of the account, for OAUTHBEARER and XOAUTH2.",
)
@click.option(
    "--client-certificate",
    metavar="FILE",
    type=_FILE,
    help="A certificate of the account, for EXTERNAL, in PEM; its key may stand behind it.",
)
@click.option("--client-key", metavar="FILE", type=_FILE, help="The key, where it does not.")
@click.option("--ca", metavar="FILE", type=_FILE, help="Who may sign the certificate, in PEM.")
@click.option("--fingerprint", metavar="SHA256", help="The one certificate to trust.")
@click.option("--insecure", is_flag=True, help="Send the password whoever the server is.")
@click.option(
    "--scratch-maildrop",
    "scratch",
    is_flag=True,
    help="The maildrop is for tests: what is in it may be removed, for good.",
)
@click.option(
    "--read-mail",
    is_flag=True,
    help="Mail of others in the maildrop may be read; some servers remove or file away what was.",
)
@click.option(
    "--maildir",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The account's Maildir, to put messages into and take them out again.",
)
@click.option(
    "--deliver-command",
    metavar="COMMAND",
    help="Takes a message on standard input; {user} is replaced. There is no shell.",
)
@click.option("--lmtp", metavar="ADDRESS", help="Takes messages: host:port, or unix:PATH.")
@click.option("--smtp", metavar="ADDRESS", help="Takes messages: host:port.")
@click.option("--recipient", metavar="NAME", help="For --lmtp and --smtp, if not the user's name.")
@click.option(
    "--case",
    "case",
    metavar="ID",
    multiple=True,
    help="Only this case, or those whose id begins so: 1939, 1939-S-42. May be repeated.",
)
@click.option("--list", "listed", is_flag=True, help="Only say which cases there are.")
@click.option("--timing", is_flag=True, help="Try what takes many logins to measure, too.")
@click.option("--slow", is_flag=True, help="Try what has to be waited for, up to an hour, too.")
@click.option(
    "--patience",
    metavar="SECONDS",
    type=_SECONDS,
    default=20.0,
    show_default=True,
    help="How long to wait for an answer.",
)
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=_SECONDS,
    default=3600.0,
    show_default=True,
    help="How long all of it may take.",
)
@json_option
@click.option("--junit", metavar="FILE", type=_FILE, help="Write a report for CI.")
@click.option("--html", metavar="FILE", type=_FILE, help="Write a report for people.")
@click.option("--verbose", "-v", is_flag=True, help="Show the dialogue of every case.")
def examine(**given: Any) -> int:
    """Try the conformance suite against the POP3 server at HOST[:PORT].

    Mail is left alone unless --scratch-maildrop says otherwise. The certificate is verified before
    the password is sent. Cases that need messages of their own want an empty maildrop or a scratch
    one, and a way to put messages into it.

    Exit status 0: nothing departs from the standards; 1: something does; 75: the run was cut
    short, and nothing departed up to there; any other: the server was not examined at all.
    """
    asked = Asked(**given)
    cases = asked.cases()
    if asked.listed:
        show_list(cases, as_json=asked.as_json)
        return 0
    examination = _Errand(asked, cases).run()
    if asked.as_json:
        print_json(in_json(examination))
    else:
        write_summary(examination, sys.stdout)
    return status_of(examination)


def status_of(examination: Examination) -> int:
    """Return the exit status for what was found."""
    verdicts = {finding.verdict for finding in examination.findings}
    if Verdict.DEPARTS in verdicts:
        return DEPARTS
    return 0 if examination.complete else TEMPORARY


class _Errand:
    """One examination as a command: what it opens is closed, what it puts in is taken out."""

    def __init__(self, asked: Asked, cases: tuple[Case, ...]) -> None:
        self._asked = asked
        self._cases = cases
        asked.check_files()
        host, port, tls = asked.place()
        self._place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._endpoint = Endpoint(host, port, tls, cleartext=True)
        self._trust = asked.trust(tls)
        self._certificate = asked.certificate()
        self._names = asked.names()
        self._pace = Pace(asked.deadline)

    def run(self) -> Examination:
        """Examine and write the files."""
        asked = self._asked
        with contextlib.ExitStack() as stack:
            stack.enter_context(_ending_in_good_order())
            door = self._open_door(stack)
            files = [
                stack.enter_context(ReportFile(path, render))
                for path, render in ((asked.junit, as_junit), (asked.html, as_html))
                if path is not None
            ]
            account, *others = asked.accounts(self._names, self._place)
            try:
                examination = self._examine(account, others[0] if others else None, door)
            except KeyboardInterrupt:
                raise CommandFailed(INTERRUPTED, "interrupted") from None
            except CannotExamine as obstacle:
                text = f"{self._place}: {obstacle}"
                raise CommandFailed(STATUSES[obstacle.obstacle], text) from obstacle
            for file in files:
                file.write(examination)
        return examination

    def _open_door(self, stack: contextlib.ExitStack) -> Door | None:
        try:
            door = self._asked.door()
        except OSError as error:
            status = NO_PERMISSION if isinstance(error, PermissionError) else NO_INPUT
            text = f"--maildir: {error.filename or self._asked.maildir}: {error.strerror}"
            raise CommandFailed(status, text) from error
        if door is not None:
            stack.callback(door.close)
        return door

    def _examine(self, account: Account, second: Account | None, door: Door | None) -> Examination:
        """Look at the server first, then try the cases."""
        asked = self._asked
        clear = self._endpoint.tls is Tls.NONE
        target = Target(
            endpoints=(self._endpoint,),
            accounts=NO_ACCOUNTS,
            patience_seconds=asked.patience,
            timing=asked.timing,
            slow=asked.slow,
            consent=Consent(removal=False, reading=False, clear_passwords=clear),
            trust=self._trust,
            pace=self._pace,
        )
        look = look_at(target, account)
        self._pace.login_patience_seconds = max(asked.patience, LOGIN_PATIENCE_SECONDS)
        visitor = Visitor(account, look.before_login)
        accounts = GivenAccounts(
            visitor,
            look.messages,
            second=second,
            door=door,
            scratch=asked.scratch,
            certificate=self._certificate,
        )
        target = replace(
            target,
            endpoints=(look.endpoint,),
            lacks=look.lacks,
            accounts=accounts,
            consent=Consent(
                removal=asked.scratch,
                reading=accounts.owned or (asked.read_mail and not look.removes_what_is_read),
                clear_passwords=clear,
                read_is_removed=look.removes_what_is_read,
            ),
        )
        visitor.attach(target)
        try:
            try:
                accounts.prepare()
            except NotTried as failure:
                raise CannotExamine(Obstacle.DOOR, str(failure)) from failure
            return self._try_all(target, look)
        finally:
            accounts.clear_up()
            if accounts.leaves_mail:
                click.echo("restante: messages of the suite are left in the maildrop", err=True)

    def _try_all(self, target: Target, look: FirstLook) -> Examination:
        asked = self._asked
        telling = Telling(len(self._cases), quiet=asked.as_json, verbose=asked.verbose)
        try:
            return try_all(
                target, self._cases, telling, server=look.server, capabilities=look.capabilities
            )
        finally:
            telling.line.clear()


@contextlib.contextmanager
def _ending_in_good_order() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the run as Ctrl-C does: what was put in is taken out."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    heeded = [
        each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL
    ]
    for each in heeded:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each in heeded:
            signal.signal(each, signal.SIG_DFL)
