"""Restante: a POP3 system. Mail is kept until its owner calls for it and shows who they are.

Nothing happens at import; `restante.assembly` is where implementations meet.
"""

__version__ = "0.1.0.dev0"
