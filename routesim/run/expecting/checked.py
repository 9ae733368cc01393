"""An expectation that has been checked."""

from typing import Any

from routesim.named_tuples import NamedTuple

SHOWN_IDS = 12


class Checked(NamedTuple):
    """`text` says what was expected, `actual` what was found. `about` is the `Expectation`, `ExpectedRoute` or `Never`, `step`
    the step that asked (None: the end, or before the first one), `witness` what broke a rule of `never` first."""

    line: int
    text: str
    ok: bool
    actual: Any
    about: Any = None
    step: int | None = None
    witness: Any = None


def shown_value(value: Any) -> str:
    """A value as an expectation might write it."""
    if isinstance(value, (tuple, list)):
        some = ", ".join(str(item) for item in value[:SHOWN_IDS])
        return f"[{some}{', …' if len(value) > SHOWN_IDS else ''}]"
    if isinstance(value, dict):
        if value.keys() == {"times", "messages"} and isinstance(value["messages"], list):
            return _shown_breaches(value)
        return f"{{{', '.join(f'{name}: {shown_value(item)}' for name, item in value.items())}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else str(value)


def _shown_breaches(found: dict[str, Any]) -> str:
    """What a rule of `never` has found."""
    times, ids = found["times"], found["messages"]
    if times <= len(ids):
        return ", ".join(ids) or "none"
    return f"{', '.join(ids)}{', …' if len(ids) == SHOWN_IDS else ''} ({times} times)"


def shown_actual(checked: Checked) -> str:
    return shown_value(checked.actual)
