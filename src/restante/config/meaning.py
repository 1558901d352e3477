"""Meanings of settings: the docstrings that stand below the fields of the option types.

The text beside the code that obeys a setting is the only one; `config explain` and the reference
page show it.
"""

import ast
import inspect
from textwrap import dedent


def meanings(owner: type) -> dict[str, str]:
    """Return the docstring of every field of a class that has one, as one paragraph."""
    definition = ast.parse(dedent(inspect.getsource(owner))).body[0]
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            words = _string(text)
            if words is not None:
                found[field.target.id] = " ".join(words.split())
    return found


def _string(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        value = statement.value.value
        return value if isinstance(value, str) else None
    return None
