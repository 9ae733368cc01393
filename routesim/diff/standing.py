"""Where in its file stands what a difference is about: in the new file, or in the old one where it is gone."""

from collections.abc import Mapping
from typing import Any

from routesim import steps
from routesim.diagnostics import Place
from routesim.diff.routing import Rerouted
from routesim.named_tuples import NamedTuple
from routesim.scenario import Places, Scenario


class DiffSide(NamedTuple):
    """One of the two that are compared; without `places` nothing says where it stands."""

    scenario: Scenario
    places: Places | None = None


class Standing:
    """Asked for the objects of one pair."""

    def __init__(self, old: DiffSide, new: DiffSide) -> None:
        self.sides = (new, old)
        self.steps: list[dict[tuple[str, ...], steps.Step]] | None = None  # by side, once one is asked for

    def of(self, kind: str, name: str) -> dict[str, Any] | None:
        """An exchange or a queue."""
        return self._first((kind, name))

    def of_routing(self, item: Rerouted, renamed: Mapping[str, str]) -> dict[str, Any] | None:
        """What routes otherwise: the binding to a queue that gets it now, or no longer; else the exchange, or the queue of that
        name for the default one. A queue that has another name now, of `renamed`, is the same."""
        if not item.exchange:
            return self._first(("queue", item.key))
        before = {renamed.get(name, name) for name in item.before}
        gained, lost = set(item.after) - before, before - set(item.after)
        changed = [("binding", item.exchange, name) for name in (*sorted(gained), *sorted(lost))]
        return self._first(*changed, ("exchange", item.exchange))

    def _first(self, *marks: tuple[str, ...]) -> dict[str, Any] | None:
        if self.steps is None:
            self.steps = [_steps_of(side.scenario) for side in self.sides]
        for mark in marks:
            for side, found in zip(self.sides, self.steps, strict=True):
                step = found.get(mark)
                if step is not None and side.places is not None:
                    return _as_data(side.places.declared(step).place)
        return None


def _steps_of(scenario: Scenario) -> dict[tuple[str, ...], steps.Step]:
    found: dict[tuple[str, ...], steps.Step] = {}
    for declaration in scenario.declarations:
        step = declaration.step
        if isinstance(step, steps.DeclareExchange):
            found.setdefault(("exchange", step.exchange.name), step)
        elif isinstance(step, steps.DeclareQueue):
            found.setdefault(("queue", step.queue.name), step)
        elif isinstance(step, steps.Bind):
            found.setdefault(("binding", step.binding.source, step.binding.destination), step)
    return found


def _as_data(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column}
