"""User names: one form for each, whatever a client sends.

A name is lower-cased as mail hosts expect it, prepared by SASLprep, and completed by the default
domain where it has none. What could be taken for a path, a field or a line is no name at all; a
store checks its paths once more for itself.
"""

from functools import lru_cache

from restante.sasl.saslprep import saslprep

MAXIMUM_OCTETS = 255
_FORBIDDEN = frozenset("/\\\"':;,<>()[]{}|*?%&$`!#^~= ")


def prepare(name: str, default_domain: str = "") -> str | None:
    """Return the canonical form of a name; None: nobody can have it."""
    # Out here: what is far too long must not fill the memory of the names prepared lately.
    return _prepare(name, default_domain) if 0 < len(name) <= MAXIMUM_OCTETS else None


@lru_cache(maxsize=16_384)
def _prepare(name: str, default_domain: str) -> str | None:
    if _octets(name) > MAXIMUM_OCTETS:
        return None
    try:
        prepared = saslprep(name, allow_unassigned=True).lower()
    except ValueError:
        return None
    if not _FORBIDDEN.isdisjoint(prepared) or not prepared.isprintable():
        return None
    local, at, domain = prepared.rpartition("@")
    if not at:
        local, domain = prepared, default_domain.lower()
    if _is_bad_part(local) or "@" in local or (at and _is_bad_part(domain)):
        return None
    whole = f"{local}@{domain}" if domain else local
    return whole if _octets(whole) <= MAXIMUM_OCTETS else None


def _octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _is_bad_part(part: str) -> bool:
    return not part or part.startswith((".", "-")) or part.endswith(".") or ".." in part
