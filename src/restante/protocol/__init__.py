"""The POP3 protocol without IO: octets in, events out (RFC 1939, 2449, 2595, 3206, 5034).

`ServerSession` is the whole of the server's side. Nothing here opens a socket, looks at a clock or
draws a random number, so everything here can be shown by feeding it octets.
"""

from restante.protocol.events import (
    ApopAttempted,
    CleartextRefused,
    EndReason,
    Event,
    LoginAttempted,
    MessageRequested,
    SaslAnswered,
    SaslCancelled,
    SaslStarted,
    SessionEnded,
    TlsRequested,
    UpdateRequested,
)
from restante.protocol.offers import Offer, SessionOptions
from restante.protocol.server import ServerSession
from restante.protocol.transaction import Listing

__all__ = [
    "ApopAttempted",
    "CleartextRefused",
    "EndReason",
    "Event",
    "Listing",
    "LoginAttempted",
    "MessageRequested",
    "Offer",
    "SaslAnswered",
    "SaslCancelled",
    "SaslStarted",
    "ServerSession",
    "SessionEnded",
    "SessionOptions",
    "TlsRequested",
    "UpdateRequested",
]
