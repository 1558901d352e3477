"""German: every text that a session can say has one, and each keeps to the rules for texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante import errors
from restante.auth.turns import BUSY
from restante.protocol.commands import BadSyntax
from restante.protocol.german import GERMAN
from restante.protocol.lines import LineFault
from restante.stores.reader import CANNOT_BE_READ

SOURCE = Path(errors.__file__).parent
SAYING = {"status_line", "positive", "negative", "listing", "MechanismError"}
"""Calls whose first text goes out to a client."""
BEFORE_ANYBODY_CHOOSES = {"too many connections, try again later"}
PLACE = re.compile(r"%[a-z]")


def refusals(kind: type[errors.Refusal] = errors.Refusal) -> Iterator[str]:
    """Yield what a refusal says if it is told nothing else, and what its kinds do."""
    yield kind.default_text
    for narrower in kind.__subclasses__():
        if narrower.__module__.startswith("restante.") and "examine" not in narrower.__module__:
            yield from refusals(narrower)


def written(path: Path) -> Iterator[str]:
    """Yield the texts that a module hands to what says them, and first lines written whole."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            name = function.id if isinstance(function, ast.Name) else name
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if name in SAYING:
                yield from [text for text in texts if isinstance(text, str)][:1]
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            whole = re.fullmatch(rb"\+OK (?:%b )?([^%].*|%d [a-z].*)\r\n", node.value)
            if whole:
                yield whole[1].decode()


def named(path: Path) -> Iterator[str]:
    """Yield the texts that stand under a name of their own in a module."""
    for node in ast.parse(path.read_text()).body:
        value = node.value if isinstance(node, ast.Assign) else None
        text = value.value if isinstance(value, ast.Constant) else None
        if isinstance(text, str) and " " in text:
            yield text


def spoken() -> set[str]:
    """Return every text that can reach a client behind LANG."""
    modules = [*(SOURCE / "protocol").glob("*.py"), *(SOURCE / "sasl").rglob("*.py")]
    of_servers = [path for path in modules if "client" not in path.name]
    texts = {text for path in of_servers for text in written(path)}
    for module in ("server.py", "screening.py"):
        texts |= set(named(SOURCE / "protocol" / module))
    texts |= {each.value for each in (*BadSyntax, *LineFault)}
    return texts | set(refusals()) | {BUSY, CANNOT_BE_READ}


OF_OUR_CLIENT = {
    "CRAM-MD5 has one challenge, which is not empty",
    "EXTERNAL has no challenge",
    "PLAIN has no challenge",
    "the iteration count is too low or too high",
    "the salt or the iteration count is malformed",
    "the server's proof is malformed",
}


def test_every_text_is_there_and_none_besides() -> None:
    """conformance: 6856-S-18"""
    due = spoken() - BEFORE_ANYBODY_CHOOSES - OF_OUR_CLIENT
    assert due - set(GERMAN) == set()
    assert set(GERMAN) - due == set()


@pytest.mark.parametrize("english", GERMAN)
def test_a_text_keeps_to_the_rules(english: str) -> None:
    """conformance: 6856-S-23, 6856-S-24"""
    text = GERMAN[english]
    assert text.isprintable()
    assert not {"[", "\r", "\n"} & set(text)
    assert len(text.encode()) <= 200
    assert PLACE.findall(text) == PLACE.findall(english)
