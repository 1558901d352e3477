"""Programs that speak as checkpassword does, for tests."""

import sys
from pathlib import Path

CHECKPASSWORD = """
import json, os, sys
name, password, stamp, rest = os.fdopen(3, "rb").read().split(b"\\0")
accounts = json.load(open(sys.argv[1]))
if accounts is None:
    sys.exit(111)
known = accounts.get(name.decode())
if known is None:
    sys.exit(int(sys.argv[2]))
if known["disabled"] or known["password"].encode() != password:
    sys.exit(1)
environment = {"USER": name.decode(), "HOME": "/home/" + name.decode(), "SHELL": "/bin/sh"}
if known["mailbox"] is not None:
    environment["MAILDIR"] = known["mailbox"]
os.execve(sys.argv[3], sys.argv[3:], environment)
"""


def program(directory: Path, text: str, name: str = "program") -> Path:
    """Write a program in Python and return its path."""
    path = directory / name
    path.write_text(f"#!{sys.executable} -ISE\n{text}")
    path.chmod(0o755)
    return path
