"""What an app gives, in the form that a scenario has for it."""

import re
from collections.abc import Iterator
from typing import Any

from routesim.celery.settings import SETTINGS

DELIVERY_MODES = {"transient": 1, "persistent": 2}
WITH_ARGUMENTS = re.compile(r"[\w.]+\(.*\)", re.DOTALL)


def setting(name: str, value: Any) -> Any:
    """A setting's value as Celery takes it (settings from the environment are text); None: the format has nothing for it."""
    kind = SETTINGS[name].kind
    if value is None:
        return None
    if kind == "boolean":
        return bool(value)
    if kind in ("number", "seconds"):
        return _number(value)
    return delivery_mode(value) if kind == "delivery mode" else value


def delivery_mode(value: Any) -> Any:
    return DELIVERY_MODES.get(value, value)


def _number(value: Any) -> int | float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not 0 <= number < float("inf"):
        return None
    return int(number) if number == int(number) else number


def named_entries(beat: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The entries of a schedule. One without a name of its own is named after its task: its arguments may be secrets."""
    taken = {name for name in beat if not WITH_ARGUMENTS.fullmatch(name)}
    for name, entry in beat.items():
        chosen, number = name, 1
        if name not in taken:
            chosen = str(entry["task"])
            while chosen in taken:
                number += 1
                chosen = f"{entry['task']}-{number}"
            taken.add(chosen)
        yield chosen, entry
