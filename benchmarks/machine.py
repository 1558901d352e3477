"""What the figures were measured on: versions, kernel, processor."""

import os
import platform
import ssl
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("uvloop", "cryptography", "argon2-cffi", "click")


def describe_machine() -> dict[str, str]:
    """Return the facts about machine and software that move the figures."""
    facts = {
        "kernel": f"{platform.system()} {platform.release()}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB",
        "Python": platform.python_version(),
        "OpenSSL of Python": ssl.OPENSSL_VERSION,
    }
    facts.update({package: _version(package) for package in _PACKAGES})
    return facts


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
