"""The command: `python -m benchmarks`, with `--short` for CI and `--self-check` for itself."""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.findings import Findings
from benchmarks.page import TUNINGS, write_page
from benchmarks.programme import KEYS, make_real_pair, play
from benchmarks.report import render_facts, render_tables
from benchmarks.scale import FULL, SHORT
from benchmarks.stage import Stage
from benchmarks.tuning import try_tunings

_SELF_CHECK_TOLERANCE = 0.2
_RESULTS = Path(__file__).parent / "results.json"


def main() -> int:
    """Run the benchmark and return the exit status: 1 when a target was missed."""
    arguments = _parse()
    if os.geteuid() != 0 or shutil.which("dovecot") is None:
        print("the benchmark needs root, and dovecot-pop3d installed", file=sys.stderr)
        return 2
    _raise_descriptor_limit()
    if arguments.tuning:
        return _try_tunings(arguments.directory)
    with tempfile.TemporaryDirectory(prefix="restante-benchmark-", dir=arguments.directory) as name:
        findings = _measure(Path(name), arguments)
    print(render_tables(findings))
    print(render_facts(findings))
    if arguments.self_check:
        return _judge_self_check(findings)
    if findings.judged and not arguments.only:
        _RESULTS.write_text(json.dumps(findings.as_json(), indent=2, ensure_ascii=False) + "\n")
        write_page(findings)
    missed = findings.missed()
    if missed:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="everything once and small")
    parser.add_argument("--self-check", action="store_true", help="theirs against itself")
    parser.add_argument(
        "--tuning", action="store_true", help="what was chosen for Dovecot, and why"
    )
    parser.add_argument("--only", nargs="+", choices=KEYS, default=[], help="these works alone")
    parser.add_argument("--directory", type=Path, default=Path("/var/tmp"), help="where mail lies")
    return parser.parse_args()


def _try_tunings(parent: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="restante-benchmark-", dir=parent) as name:
        table = try_tunings(Stage(Path(name), FULL), _tell)
    print(table)
    TUNINGS.write_text(table)
    return 0


def _measure(directory: Path, arguments: argparse.Namespace) -> Findings:
    stage = Stage(directory, SHORT if arguments.short else FULL)
    dovecot, restante = make_real_pair(stage)
    keys = arguments.only or KEYS
    if arguments.self_check:
        findings = play(stage, ("Dovecot", "Dovecot again"), (dovecot, dovecot), keys, _tell)
    else:
        findings = play(stage, ("Dovecot", "Restante"), (dovecot, restante), keys, _tell)
    findings.judged = not (arguments.self_check or arguments.short)
    return findings


def _judge_self_check(findings: Findings) -> int:
    ratios = {
        result.work.key: result.ratio(findings.ours, findings.theirs) for result in findings.results
    }
    apart = {key: ratio for key, ratio in ratios.items() if abs(ratio - 1) > _SELF_CHECK_TOLERANCE}
    for key, ratio in apart.items():
        print(f"{key}: a server differs from itself by {ratio:.2f}", file=sys.stderr)
    return 1 if apart else 0


def _raise_descriptor_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
