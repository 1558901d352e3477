"""The fuzz targets, called without a fuzzer: they hold for their seeds and what is near to them."""

import importlib.util
import random
from collections.abc import Callable
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "fuzz" / "targets.py"
_spec = importlib.util.spec_from_file_location("targets", FILE)
assert _spec is not None
assert _spec.loader is not None
targets = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(targets)


def mutated(seed: bytes, dice: random.Random) -> bytes:
    """Return octets near to these."""
    octets = bytearray(seed)
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(octets) + 1)
        octets[at : at + dice.randrange(3)] = dice.choice(
            [b"", b"\r", b"\n", b"\0", b".", b" ", b"\r\n", b"A" * 300, dice.randbytes(3)]
        )
    return bytes(octets)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_a_target_holds(name: str) -> None:
    target: Callable[[bytes], None] = targets.TARGETS[name]
    dice = random.Random(name)
    target(b"")
    for seed in targets.SEEDS[name]:
        target(seed)
        for _ in range(100):
            target(mutated(seed, dice))
