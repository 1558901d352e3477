"""Every case there is, in the order of the documents."""

from __future__ import annotations

from restante.examine import (
    defacto,
    guide,
    rfc1939_authorization,
    rfc1939_commands,
    rfc1939_format,
    rfc1939_framing,
    rfc1939_opening,
    rfc1939_optional,
    rfc1939_transaction,
    rfc1939_update,
    rfc1957,
    rfc2449_capabilities,
    rfc2449_replies,
    rfc2595,
    rfc3206,
    rfc4616,
    rfc5034,
    tls,
)
from restante.examine.case import Case

CASES: tuple[Case, ...] = (
    *rfc1939_framing.CASES,
    *rfc1939_commands.CASES,
    *rfc1939_authorization.CASES,
    *rfc1939_opening.CASES,
    *rfc1939_transaction.CASES,
    *rfc1939_optional.CASES,
    *rfc1939_update.CASES,
    *rfc1939_format.CASES,
    *rfc1957.CASES,
    *rfc2449_capabilities.CASES,
    *rfc2449_replies.CASES,
    *rfc2595.CASES,
    *rfc3206.CASES,
    *tls.CASES,
    *rfc5034.CASES,
    *rfc4616.CASES,
    *guide.CASES,
    *defacto.CASES,
)
