"""HMAC-MD5 from what Dovecot keeps under {CRAM-MD5}: MD5 in the midst (RFC 1321 §3.4, RFC 2104 §4).

HMAC digests a block of the key before anything else, once for the inner digest and once for the
outer. Kept is where MD5 stands behind these two blocks, the outer one first: enough for every
digest under that key, and not the key itself. No library goes on from there, so MD5's own step
stands here; it is slow, and a challenge is short.
"""

import struct
from math import floor, sin

STATES_OCTETS = 32
_BLOCK_OCTETS = 64
_WORD = 0xFFFF_FFFF
_STATE = struct.Struct("<4I")
_BLOCK = struct.Struct("<16I")
_START = _STATE.pack(0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_TABLE = tuple(floor(abs(sin(number + 1)) * 2**32) for number in range(64))
_SHIFTS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))


def states_of(key: bytes) -> bytes:
    """Return what is kept of a key."""
    if len(key) > _BLOCK_OCTETS:
        key = _digest(_START, key, 0)
    block = key.ljust(_BLOCK_OCTETS, b"\0")
    return b"".join(_step(_START, bytes(octet ^ pad for octet in block)) for pad in (0x5C, 0x36))


def hmac_md5_from(states: bytes, message: bytes) -> bytes:
    """Return HMAC-MD5 of a message under the key that was kept."""
    outer, inner = states[:16], states[16:]
    return _digest(outer, _digest(inner, message, _BLOCK_OCTETS), _BLOCK_OCTETS)


def _digest(state: bytes, data: bytes, before: int) -> bytes:
    """Return where MD5 ends that stood there behind so many octets, with this data to come."""
    octets = before + len(data)
    padding = b"\x80".ljust((55 - octets) % _BLOCK_OCTETS + 1, b"\0")
    data += padding + struct.pack("<Q", 8 * octets & 0xFFFF_FFFF_FFFF_FFFF)
    for at in range(0, len(data), _BLOCK_OCTETS):
        state = _step(state, data[at : at + _BLOCK_OCTETS])
    return state


def _step(state: bytes, block: bytes) -> bytes:
    """Return where MD5 stands behind another block."""
    words = _BLOCK.unpack(block)
    before = _STATE.unpack(state)
    a, b, c, d = before
    for number in range(64):
        mixed, word = _mixed(number, b, c, d)
        turned = (a + mixed + words[word] + _TABLE[number]) & _WORD
        shift = _SHIFTS[number // 16][number % 4]
        turned = (turned << shift | turned >> 32 - shift) & _WORD
        a, b, c, d = d, (b + turned) & _WORD, b, c
    after = (a, b, c, d)
    return _STATE.pack(*((x + y) & _WORD for x, y in zip(before, after, strict=True)))


def _mixed(number: int, b: int, c: int, d: int) -> tuple[int, int]:
    """Return what a round mixes, and which word of the block it takes."""
    if number < 16:
        return (b & c) | (~b & d), number
    if number < 32:
        return (b & d) | (c & ~d), (5 * number + 1) % 16
    if number < 48:
        return b ^ c ^ d, (3 * number + 5) % 16
    return c ^ (b | ~d & _WORD), 7 * number % 16
