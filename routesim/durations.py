"""Lengths of time: read from a file, written as a file has them, said to people; and instants, in seconds. All in whole ms."""

import re
from itertools import product

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
UNIT_NAMES = {"d": "days", "h": "h", "m": "min", "s": "s", "ms": "ms"}  # for people
LONGEST_MS = 100 * 365 * UNITS_MS["d"]
LONG_MS = 10_000_000  # from here on the seconds of an instant are without the zeros at their end
THOUSANDTHS = tuple(map("".join, product(".", *3 * ["0123456789"])))  # of a second; to format a float takes twice the time
WITH_UNIT = rf"[0-9]{{1,18}}(\.[0-9]{{1,9}})?({'|'.join(UNITS_MS)})"
WRITTEN = re.compile(rf"([0-9]{{1,18}})(\.[0-9]{{1,9}})?({'|'.join(UNITS_MS)})?")


def both_readings(text: str) -> str:
    """Of a number without a unit, which is seconds to some and milliseconds to others: both as they are to be written, such as
    `5s or 5ms`; "" for anything else, and for 0, which is the same in every unit."""
    match = WRITTEN.fullmatch(text)
    if match is None or match[3] or not text.strip("0."):
        return ""
    return f"{text}s or {text}ms" if match[2] is None else f"{text}s"


def parse_duration(text: str) -> int | None:
    """`250ms`, `1.5s`, `2m`, `1h`, `1d` or a whole number of ms, in ms; None: it is none, or no whole number of ms."""
    match = WRITTEN.fullmatch(text)
    if match is None:
        return None
    unit = UNITS_MS[match[3] or "ms"]
    if match[2] is None:
        return int(match[1]) * unit
    digits = match[2][1:]
    ms, rest = divmod(int(match[1] + digits) * unit, 10 ** len(digits))
    return ms if match[3] and not rest else None


def written_duration(ms: int) -> str:
    """As a file has it, in the largest unit that makes it a whole number: `0s`, `250ms`, `90s`, `5m`."""
    unit = next(unit for unit, size in reversed(UNITS_MS.items()) if ms % size == 0) if ms else "s"
    return f"{ms // UNITS_MS[unit]}{unit}"


def duration_text(ms: int) -> str:
    """For people, and exact: `0 s`, `250 ms`, `1.5 s`, `2 min 5 s`, `1 day 3 h 46 min 40 s`."""
    parts, rest = [], ms
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, UNITS_MS[unit])
        if count:
            parts.append(f"{count:,} {'day' if unit == 'd' and count == 1 else UNIT_NAMES[unit]}")
    if rest >= UNITS_MS["s"] or not ms:
        parts.append(f"{rest / UNITS_MS['s']:g} s")
    elif rest:
        parts.append(f"{rest} ms")
    return " ".join(parts)


def seconds(ms: int) -> str:
    """An instant of virtual time as the traces' column of seconds has it: `1.400`, `100000`, `100000.25`."""
    text = f"{ms // 1000}{THOUSANDTHS[ms % 1000]}"
    return text if ms < LONG_MS else text.rstrip("0").rstrip(".")
