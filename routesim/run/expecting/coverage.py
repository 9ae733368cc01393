"""Which bindings a run used: by a message, or by a row of its table of routes."""

from collections.abc import Iterable
from typing import Any

from routesim.model import Binding
from routesim.named_tuples import NamedTuple
from routesim.run.result import Result
from routesim.steps import Bind
from routesim.values import table_identity


class Covered(NamedTuple):
    """A binding that is declared at the top of a scenario; `line` 0: in an included definitions file."""

    binding: Binding
    file: str
    line: int
    used: bool


def covered(result: Result) -> tuple[Covered, ...]:
    used = {_identity(binding) for binding in result.used}
    return tuple(
        Covered(item.step.binding, result.scenario.file, item.line, _identity(item.step.binding) in used)
        for item in result.scenario.declarations
        if isinstance(item.step, Bind)
    )


def together(found: Iterable[Covered]) -> list[Covered]:
    """Over several runs: a binding that several scenarios declare, or include, counts once and is used if one of them uses it."""
    whole: dict[Any, Covered] = {}
    for item in found:
        known = whole.setdefault(_identity(item.binding), item)
        if item.used and not known.used:
            whole[_identity(item.binding)] = known._replace(used=True)
    return list(whole.values())


def _identity(binding: Binding) -> tuple[Any, ...]:
    return (*binding[:4], table_identity(binding.arguments))
