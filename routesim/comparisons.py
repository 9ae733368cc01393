"""Counts that are compared: `3` or `>= 3`, as (operator, number)."""

import operator
from collections.abc import Callable
from typing import Any

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
Comparison = tuple[str, int]


def holds(actual: int, wanted: Comparison) -> bool:
    return COMPARISONS[wanted[0]](actual, wanted[1])


def shown(wanted: Comparison) -> str:
    """`3` or `>= 3`, as it might be written."""
    return str(wanted[1]) if wanted[0] == "==" else f"{wanted[0]} {wanted[1]}"
