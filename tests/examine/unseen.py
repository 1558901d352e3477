"""Items about servers that no case tries, each with the reason: a socket does not show them.

Every other item about a server has a case; a test holds this list to that.
"""

from __future__ import annotations

FAULT = "it takes a fault inside the server, which a client cannot cause"
SETTINGS = "it is about settings or a platform; a running server shows what it was set to"
LOG = "it is about the log"
DELIVERY = "it is about delivery, which has another protocol"
LAYERS = "it takes a mechanism with a security layer, and a ticket or a secret of that mechanism"
KERBEROS = "it takes a realm of Kerberos that client and server belong to"

UNSEEN: dict[str, str] = {
    "1939-S-03": "it takes as many connections as the server has places for",
    **dict.fromkeys(("1939-S-49", "1939-S-83", "1939-S-108", "1939-S-109", "3206-S-01"), FAULT),
    "1939-S-112": "it takes a crash of the machine",
    "1939-S-117": "a permission: with TOP restricted a server is as right as without",
    "1939-S-118": "it takes a maildrop over its quota, which a client cannot make",
    **dict.fromkeys(("8314-S-07", "5034-S-31", "4505-S-02"), LOG),
    **dict.fromkeys(("9325-S-01", "2195-S-05", "1321-S-01", "DF-S-07", "DF-S-08"), SETTINGS),
    "9325-S-11": "it takes a client that resumes TLS 1.3 by hand",
    **dict.fromkeys(("5034-S-22", "5034-S-23", "5034-S-24", "5034-S-28"), LAYERS),
    **dict.fromkeys(("4752-S-01", "4752-S-02", "4752-S-03"), KERBEROS),
    "6856-S-07": "how a message came in is not known from how it goes out",
    "6857-S-01": "a permission: the simpler replacement of RFC 6858 is as right",
    **dict.fromkeys((f"2033-S-0{number}" for number in range(1, 6)), DELIVERY),
    **dict.fromkeys((f"5321-S-0{number}" for number in range(1, 4)), DELIVERY),
    "TG-H-1": "it is about documents",
}
