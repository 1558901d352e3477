"""Paths of mailboxes: from an identity to a folder below the template's root, and nowhere else.

A template is expanded once, part by part; what a name contributes is always within one component
of the path and never `.`, `..` or empty. A path that a source of accounts gives is the
administrator's word and stands as it is.
"""

import re

from restante.errors import PermanentFailure
from restante.identity import Identity

_FIELD = re.compile(r"\{(name|local|domain)\}")


def mailbox_path(template: str, identity: Identity, default_domain: str) -> str:
    """Return where the mailbox of an identity lies.

    Raises:
        PermanentFailure: its name can have no path.
    """
    if identity.mailbox is not None:
        if "\0" in identity.mailbox:
            raise PermanentFailure(reason="the mailbox path holds a NUL")
        return identity.mailbox
    local, at, domain = identity.name.rpartition("@")
    if not at:
        local, domain = identity.name, default_domain
    values = {"name": identity.name, "local": local, "domain": domain}
    return _FIELD.sub(lambda field: _component(values[field[1]]), template)


def _component(value: str) -> str:
    if not value or value.startswith(".") or "/" in value or "\0" in value or len(value) > 255:
        raise PermanentFailure(reason="the account's name can have no path")
    return value
