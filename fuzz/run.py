"""Run fuzz targets under atheris.

    python fuzz/run.py [TARGET…] [--runs N] [--corpus DIRECTORY]

Without names all targets run, one process each. What a run learnt stays in the corpus folder when
one is given. A crash leaves its input in the current folder and ends with a non-zero status. There
is no network in any target.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT)]


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description="Fuzz the parser and the session.")
    parser.add_argument("targets", nargs="*", help="names; all by default")
    parser.add_argument("--runs", type=int, default=20_000, help="executions of each target")
    parser.add_argument("--corpus", type=Path, help="folder that keeps what was learnt")
    options = parser.parse_args()
    if len(options.targets) == 1:
        fuzz(options.targets[0], options.runs, options.corpus)
        return 0
    return run_each(options.targets, options.runs, options.corpus)


def run_each(names: list[str], runs: int, corpus: Path | None) -> int:
    """Run several targets one after the other and return 1 if any of them failed."""
    from fuzz.targets import TARGETS

    failed = []
    for name in names or TARGETS:
        command = [sys.executable, __file__, name, "--runs", str(runs)]
        command += ["--corpus", str(corpus)] if corpus else []
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "no target failed")
    return bool(failed)


def fuzz(name: str, runs: int, corpus: Path | None) -> None:
    """Run one target; atheris ends the process."""
    import atheris  # type: ignore[import-untyped]

    fuzzed = ["restante.protocol", "restante.sasl", "restante.auth"]
    fuzzed += ["restante.server.proxy_header", "restante.server.client_hello"]
    with atheris.instrument_imports(include=fuzzed):
        from fuzz.targets import SEEDS, TARGETS

    folder = (corpus or Path(tempfile.mkdtemp(prefix="restante-fuzz-"))) / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (folder / f"seed-{number}").write_bytes(seed)
    arguments = [name, f"-atheris_runs={runs}", "-max_len=30000", "-len_control=200", str(folder)]
    atheris.Setup(arguments, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
