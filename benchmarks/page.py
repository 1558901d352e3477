"""The page of the documentation, written whole from what was found."""

import inspect
from pathlib import Path

from benchmarks.findings import Findings
from benchmarks.load.scram import ITERATIONS
from benchmarks.peers.dovecot import CONFIGURATION
from benchmarks.report import render_facts, render_tables
from benchmarks.scale import FULL

TUNINGS = Path(__file__).parent / "tunings.md"
_PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmarks.md"


def write_page(findings: Findings) -> None:
    """Write the page, with the table of tunings as it was last measured."""
    parts = [
        _BEGINNING,
        render_tables(findings),
        _METHOD,
        "## Measured on\n",
        render_facts(findings),
    ]
    parts += ["## Dovecot's settings\n", _TUNING, TUNINGS.read_text(), _CONFIGURATION]
    _PAGE.write_text("\n".join(parts))


_BEGINNING = """\
<!-- Written by `make bench`; do not edit. -->
# Benchmarks

Restante against Dovecot, tuned as its documentation says for high performance, on the same
Maildirs, on one machine, in one run. `make bench` measures all of this again and writes this page;
each single run is in `benchmarks/results.json`.
"""

_METHOD = inspect.cleandoc(f"""
    ## How it is measured

    * CPU time is user and system time of the server's whole process tree, from its control group:
      processes that lived for one session are in it, and so is what a server still does after the
      last reply, until it is quiet. The client's time is not.
    * Each work runs {FULL.runs} times on each server in turns, and who begins changes from turn to
      turn. The figures are medians.
    * Every reply is verified: the octets of RETR and TOP against digests made from the messages
      themselves, LIST and STAT against their exact sizes, UIDL for one legal unique-id each. A
      wrong octet ends the benchmark.
    * Both servers read the same passwd-file format, show the same ECDSA certificate, read mail as
      the same user, and get copies of the same Maildirs: directories of their own, messages as
      hard links.
    * Everything of Restante is on: the lock, the log, the process that authenticates.
    * The short session is USER, PASS, STAT, QUIT on a maildrop of {FULL.login_messages} messages,
      {FULL.logins_at_once} at once from one client, in lock-step. Under TLS each makes a full
      handshake; a resumed one ends the benchmark.
    * The session by SCRAM-SHA-256 is AUTH, STAT, QUIT; both servers keep StoredKey and ServerKey of
      the same salt and {ITERATIONS:,} iterations, and the client checks the server's signature.
    * Cold means an account that never logged in to the server that was started: its password is
      not in a cache. The hash by itself is computed in the benchmark's own process.
    * A drain is USER, PASS, STAT, LIST, UIDL, then RETR and DELE of each message, QUIT, on
      {FULL.mixed_messages} messages newly delivered under names that tell no size, of
      {FULL.mixed_mean_octets // 1000} KB in the mean.
    * A session on the huge maildrop of {FULL.huge_messages:,} messages is USER, PASS, STAT, LIST,
      UIDL, TOP and RETR of one message, QUIT.
    * Memory is the proportional set size of the whole process tree with the connections held, less
      that before; every connection has an account and an empty maildrop of its own. Restante holds
      them with one worker. What the kernel keeps for a socket is not in it.
    * Latency is the time from the moment a login was due until PASS was answered, with
      {FULL.logins_per_second} logins a second, while {FULL.draining_sessions} sessions collect
      {FULL.messages_per_second} messages a second and one opens a maildrop of
      {FULL.huge_messages:,} messages that the server has never seen. Medians of
      {FULL.latency_runs} runs.
    """)

_TUNING = """\
Login processes run in the high-performance mode of its documentation. Where that leaves a choice,
the faster was taken, in Dovecot's favour also where Restante does more: Restante locks every
maildrop and notices what other programs change in it. `make bench-tuning` tried the alternatives
(CPU time, medians of three):
"""

_CONFIGURATION = f"""\
The whole configuration, what stands in braces filled in for each run:

```
{CONFIGURATION.replace("{{", "{").replace("}}", "}")}```
"""
