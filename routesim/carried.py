"""What a delivered message carries in its headers, as values: conditions of rules, and expectations of what is ready."""

from collections.abc import Iterator
from typing import Any

from routesim.comparisons import Comparison, holds
from routesim.named_tuples import NamedTuple
from routesim.values import Table, Typed, comparable, raw

DELIVERY_COUNT, ACQUIRED_COUNT = "x-delivery-count", "x-acquired-count"
MISSING: Any = object()


class Deaths(NamedTuple):
    """How often a message has died, by the counts of `x-death`: so many times in `queue`, for `reason` (None: any) together."""

    times: Comparison = (">=", 1)
    queue: str | None = None
    reason: str | None = None


class Carried(NamedTuple):
    """Conditions (None, or empty: any). `header`: paths inside the headers, each with a comparison or a value; `has_header`:
    headers that are there, whatever they hold."""

    deaths: tuple[Deaths, ...] = ()
    delivery_count: Comparison | None = None
    acquired_count: Comparison | None = None
    header: tuple[tuple[str, Any], ...] = ()
    has_header: tuple[str, ...] = ()


def fits(wanted: Carried, headers: Table) -> bool:
    return (
        all(name in headers for name in wanted.has_header)
        and all(holds(died(headers, item), item.times) for item in wanted.deaths)
        and (wanted.delivery_count is None or holds(count_in(headers, DELIVERY_COUNT), wanted.delivery_count))
        and (wanted.acquired_count is None or holds(count_in(headers, ACQUIRED_COUNT), wanted.acquired_count))
        and all(is_held(value_at(headers, path), value) for path, value in wanted.header)
    )


def said(deaths: Deaths) -> str:
    """What is counted, in words: `deaths in work (rejected)`."""
    where = f" in {deaths.queue}" if deaths.queue is not None else ""
    return f"deaths{where}{f' ({deaths.reason})' if deaths.reason is not None else ''}"


def deaths_in(headers: Table) -> Iterator[str]:
    """The entries of `x-death` in words, the newest first: `2 in work (rejected)`."""
    return (f"{count} in {queue} ({reason})" for count, queue, reason in deaths_of(headers))


def deaths_of(headers: Table) -> Iterator[tuple[int, str, str]]:
    """The entries of `x-death`, the newest first: how often, in which queue, for which reason."""
    entries = raw(headers.get("x-death"))
    for death in map(raw, entries if isinstance(entries, list) else ()):
        if isinstance(death, dict):
            yield _number(death.get("count", 1)), str(raw(death.get("queue"))), str(raw(death.get("reason")))


def died(headers: Table, deaths: Deaths) -> int:
    """The counts of the entries of `x-death` that are meant, together; 0 without one."""
    entries = raw(headers.get("x-death"))
    found = 0
    for entry in entries if isinstance(entries, list) else ():
        death = raw(entry)
        if (
            isinstance(death, dict)
            and deaths.queue in (None, raw(death.get("queue")))
            and deaths.reason in (None, raw(death.get("reason")))
        ):
            found += _number(death.get("count", 1))
    return found


def count_in(headers: Table, name: str) -> int:
    """A count that RabbitMQ leaves out while it is 0."""
    return _number(headers.get(name))


def _number(value: Any) -> int:
    number = raw(value)
    return number if isinstance(number, int) else 0


def value_at(headers: Table, path: str) -> Any:
    """The value at a path such as `x-death.0.count`: names of tables, and places in lists from 0; MISSING where there is none.
    A name may have dots in it: the longest one that is there is tried first."""
    return _walk(headers, path.split("."))


def _walk(value: Any, parts: list[str]) -> Any:
    if not parts:
        return value
    inner = raw(value)
    if isinstance(inner, dict):
        for end in range(len(parts), 0, -1):
            name = ".".join(parts[:end])
            if name in inner and (found := _walk(inner[name], parts[end:])) is not MISSING:
                return found
    elif isinstance(inner, list) and parts[0].isdecimal() and len(parts[0]) < 10 and int(parts[0]) < len(inner):
        return _walk(inner[int(parts[0])], parts[1:])
    return MISSING


def is_held(found: Any, wanted: Any) -> bool:
    """Whether a value is as wanted: by comparison, numbers alone; else the same value, as `headers` compares them."""
    if found is MISSING:
        return False
    if is_comparison(wanted):
        number = raw(found)
        return isinstance(number, (int, float)) and not isinstance(number, bool) and holds(number, wanted)  # type: ignore[arg-type]
    return is_same(found, wanted)


def has_headers(headers: Table, wanted: Table) -> bool:
    """Whether these headers are there with these values."""
    return all(is_same(headers.get(name, MISSING), value) for name, value in wanted.items())


def is_same(found: Any, wanted: Any) -> bool:
    if found is MISSING:
        return False
    return comparable(found, strict=True, of_message=False) == comparable(wanted, strict=True, of_message=False)


def is_comparison(wanted: Any) -> bool:
    return isinstance(wanted, tuple) and not isinstance(wanted, Typed)
