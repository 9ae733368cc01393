"""What a client may send and a scenario cannot say, in the nearest form that it can: text that is no UTF-8, no numbers."""

import math
import re
from typing import Any

from routesim.values import Typed

SURROGATES = re.compile("[\ud800-\udfff]")
LATEST = 2**63 - 1  # a timestamp
DECIMAL_DIGITS = 9


def sayable(value: Any) -> Any:
    """A step or any part of one. What can be said comes back as it is."""
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if isinstance(value, Typed):
        return _typed(value)
    if isinstance(value, dict):
        return {_text(key): sayable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [sayable(item) for item in value]
    if isinstance(value, tuple):
        made: Any = type(value)
        parts = [sayable(item) for item in value]
        return made(*parts) if hasattr(value, "_fields") else made(parts)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _text(text: str) -> str:
    return SURROGATES.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    """Those of single bytes as these."""
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _typed(value: Typed) -> Any:
    inner = value.value
    if value.type == "bytes":
        return Typed("bytes", inner.decode("utf-8", "backslashreplace").encode())
    if value.type == "timestamp":
        return Typed("timestamp", min(inner, LATEST))
    if value.type == "decimal":
        scale, unscaled = inner
        if unscaled < 0 or scale >= DECIMAL_DIGITS or unscaled >= 10**DECIMAL_DIGITS:
            return sayable(unscaled / 10**scale)
        return value
    if isinstance(inner, float) and not math.isfinite(inner):
        return str(inner)
    return Typed(value.type, sayable(inner))
