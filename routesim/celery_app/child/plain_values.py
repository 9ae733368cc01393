"""Values of an app as JSON has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

MADE_UP = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
DEEPEST = 8


def differs(value: Any, default: Any) -> bool:
    try:
        return bool(value != default)
    except Exception:
        return True


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON has it: durations in seconds, queues and exchanges by their names, what else there is as nothing."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping) and depth < DEEPEST:
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and depth < DEEPEST:
        return [plain(item, depth + 1) for item in value]
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else None
