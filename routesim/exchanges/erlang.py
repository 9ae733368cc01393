"""Erlang's phash2 and the consistent-hash exchange's generator, bit by bit (rules/routing#A).

A term is written as: bytes (a binary), int, float, bool or an `Atom`, tuple, list.
"""

import struct
from typing import Any

MASK = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF
GOLDEN = 0x9E3779B9


class Atom(str):
    """An Erlang atom."""


def _g(number: int) -> int:
    return (number * GOLDEN) & MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = (a - b - c) & MASK ^ (c >> 13)
    b = (b - c - a) & MASK ^ ((a << 8) & MASK)
    c = (c - a - b) & MASK ^ (b >> 13)
    a = (a - b - c) & MASK ^ (c >> 12)
    b = (b - c - a) & MASK ^ ((a << 16) & MASK)
    c = (c - a - b) & MASK ^ (b >> 5)
    a = (a - b - c) & MASK ^ (c >> 3)
    b = (b - c - a) & MASK ^ ((a << 10) & MASK)
    c = (c - a - b) & MASK ^ (b >> 15)
    return a, b, c


def _two(x: int, y: int, constant: int, state: int) -> int:
    return _mix((constant + x) & MASK, (constant + y) & MASK, state)[2]


def _binary(data: bytes, state: int) -> int:
    constant = (_g(13) + state) & MASK
    if not data:
        return constant
    a = b = _g(1)
    c = constant
    whole = len(data) - len(data) % 12
    for x, y, z in struct.iter_unpack("<III", data[:whole]):
        a, b, c = _mix((a + x) & MASK, (b + y) & MASK, (c + z) & MASK)
    rest = data[whole:].ljust(12, b"\0")
    x, y, z = struct.unpack("<III", rest)
    # The last three bytes leave the lowest byte of c to the length.
    return _mix((a + x) & MASK, (b + y) & MASK, (c + len(data) + (z << 8)) & MASK)[2]


def _integer(number: int, state: int) -> int:
    if -(2**27) <= number < 2**27:
        if number < 0:
            state = _two(-number & MASK, 0, _g(1), state)
        return _two(number & MASK, 0, _g(1), state)
    size = abs(number)
    return _two(size & MASK, size >> 32 & MASK, _g(10) if number < 0 else _g(11), state)


def _atom(name: str, state: int) -> int:
    value = 0
    for byte in name.encode("latin-1"):
        value = ((value << 4) + byte) & MASK
        top = value & 0xF0000000
        if top:
            value ^= top >> 24
            value ^= top
    return value if state == 0 else _two(value, 0, _g(3), state)


def _hash(term: Any, state: int) -> int:
    if isinstance(term, bool):
        return _atom("true" if term else "false", state)
    if isinstance(term, Atom):
        return _atom(term, state)
    if isinstance(term, bytes):
        return _binary(term, state)
    if isinstance(term, int):
        return _integer(term, state)
    if isinstance(term, float):
        high, low = struct.unpack(">II", struct.pack(">d", term + 0.0))
        return _two(high, low, _g(12), state)
    if isinstance(term, tuple):
        state = _two(len(term), 0, _g(9), state)
        for item in term:
            state = _hash(item, state)
        return state
    for item in term:
        state = _hash(item, state)
    return 3468870702 if state == 0 else _two(2, 0, _g(2), state)


def phash2(term: Any) -> int:
    """`erlang:phash2(term)`: 0 to 2^27 - 1."""
    return phash2_32(term) & (2**27 - 1)


def phash2_32(term: Any) -> int:
    """`erlang:phash2(term, 1 bsl 32)`."""
    return _hash(term, 0)


def _seed(key: int) -> list[int]:
    """The state of exs1024 seeded with {key, key, key}."""
    low = (key % 2**21) + 1
    b1, b2, b3 = (low * multiplier % 2**21 for multiplier in (2097131, 2097133, 2097143))
    value = b1 << 43 | b2 << 22 | b3 << 1 | 1
    outputs = []
    for _ in range(16):
        value ^= value >> 12
        value = (value ^ value << 25) & MASK64
        value ^= value >> 27
        outputs.append(value * 2685821657736338717 & MASK64)
    return outputs[::-1]


def jump(key: Any, buckets: int) -> int:
    """The bucket, 0 to `buckets` - 1, that the jump consistent hash gives `key` (an int, or a term to hash)."""
    if buckets == 1:
        return 0
    state = _seed(key if isinstance(key, int) and not isinstance(key, bool) else phash2(key))
    used: list[int] = []
    bucket, following = -1, 0
    while following < buckets:
        bucket = following
        if len(state) == 1:
            state, used = [state[0], *used], []
        first, second = state[0], state[1]
        second ^= second << 31 & MASK64
        second ^= second >> 11
        number = (first ^ first >> 30) ^ second
        state = [number, *state[2:]]
        used.append(first)
        uniform = float(number * 1181783497276652981 & MASK64) / 2**64
        following = int((bucket + 1) / uniform)
    return bucket
