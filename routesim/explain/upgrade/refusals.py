"""Declarations that one version takes and the other refuses, each by its name, and which of them are so because of another."""

from collections.abc import Mapping
from typing import Any

from routesim import steps
from routesim.broker import RabbitBroker
from routesim.explain.upgrade.behaviour import Change
from routesim.named_tuples import NamedTuple
from routesim.scenario import Places, Scenario
from routesim.scenario.scenario import Declaration
from routesim.shown import shown_binding, shown_exchange
from routesim.versions import rules

NOT_FOUND = 404
# The sections of a definitions file in the order in which an import carries them out (rules/routing#F4), and what is not created
# when it stops there (rules/routing#F23).
IMPORTED = ("exchange", "policy", "queue", "binding")


class RefusedObject(NamedTuple):
    """`kind` and `name` of what is declared; `line` 0: unknown; `text`: RabbitMQ's answer. `because`: the label of the refused
    object that it needs, empty where it stands for itself."""

    kind: str
    name: str
    line: int
    text: str
    because: str = ""

    @property
    def label(self) -> str:
        """`queue tmp.cache (line 20)`."""
        return f"{self.kind} {self.name}" + (f" (line {self.line})" if self.line else "")


def refusals(scenario: Scenario, places: Places | None) -> list[RefusedObject]:
    """What a broker of the scenario's version refuses of what stands at its top."""
    if scenario.settings.kind != "rabbitmq":
        return []
    broker = RabbitBroker(
        rules(scenario.rabbitmq), vhost=scenario.vhost, seed=scenario.seed, settings=scenario.settings,
        channel_plans=scenario.channels,
    )  # fmt: skip
    found: list[RefusedObject] = []
    missing: dict[tuple[str, str], str] = {}
    for declaration in scenario.declarations:
        refused = broker.apply(declaration.step)
        if refused is None:
            continue
        kind, name = _object(declaration.step)
        needs = next((missing[need] for need in _needed(declaration.step) if need in missing), "")
        item = RefusedObject(kind, name, _line(declaration, places), refused.text, needs if refused.code == NOT_FOUND else "")
        found.append(item)
        missing[kind, name] = item.label
    return found


def _line(declaration: Declaration, places: Places | None) -> int:
    if declaration.line or places is None or not isinstance(declaration.step, _PLACED):
        return declaration.line
    place = places.declared(declaration.step).place
    return place.line


_PLACED = (steps.DeclareExchange, steps.DeclareQueue, steps.Bind, steps.SetPolicy)


def _object(step: Any) -> tuple[str, str]:
    if isinstance(step, steps.DeclareExchange):
        return "exchange", step.exchange.name
    if isinstance(step, steps.DeclareQueue):
        return "queue", step.queue.name
    if isinstance(step, steps.Bind):
        return "binding", shown_binding(step.binding)
    if isinstance(step, steps.SetPolicy):
        return "policy", step.policy.name
    return "consumer", getattr(getattr(step, "consumer", None), "name", type(step).__name__)


def _needed(step: Any) -> list[tuple[str, str]]:
    """What must be there before."""
    if isinstance(step, steps.Bind):
        binding = step.binding
        return [("exchange", shown_exchange(binding.source)), (binding.destination_type, binding.destination)]
    return [("queue", step.consumer.queue)] if isinstance(step, steps.Consume) else []


def refused_declarations(before: list[RefusedObject], after: list[RefusedObject]) -> list[Change]:
    """What only one side refuses."""
    old, new = ({(item.kind, item.name): item for item in side} for side in (before, after))
    changes = [
        Change(item.label, "accepted", f"REFUSED: {item.text}", (item.kind, item.name), item.because)
        for key, item in new.items()
        if key not in old or old[key].text != item.text
    ]
    changes += [
        Change(item.label, item.text, "accepted", (item.kind, item.name)) for key, item in old.items() if key not in new
    ]  # fmt: skip
    return changes


def import_stops(refused: Mapping[str, list[RefusedObject]]) -> dict[str, str]:
    """Where an import of the whole file into a new broker stops: a sentence for each virtual host with something in the way.

    A section is imported for all virtual hosts before the next one begins (rules/routing#F23), so that what is in the way in a
    later section is met only when the earlier is mended.
    """
    own = {vhost: [item for item in found if not item.because and item.kind in IMPORTED] for vhost, found in refused.items()}
    firsts = {vhost: min(found, key=_section) for vhost, found in own.items() if found}
    if not firsts:
        return {}
    where, earliest = min(firsts.items(), key=lambda item: _section(item[1]))
    told = {}
    for vhost, first in firsts.items():
        begins = "An import of the file into a new broker"
        if _section(first) > _section(earliest):
            begins = f"Once {earliest.label} of vhost {where} is mended, an import of the file"
        told[vhost] = f"{begins} stops at {first.label}{_not_created(first, 'of any vhost' if len(refused) > 1 else 'of it')}."
    return told


def _section(item: RefusedObject) -> int:
    return IMPORTED.index(item.kind)


def _not_created(first: RefusedObject, whose: str) -> str:
    behind = [_plural(kind) for kind in IMPORTED[_section(first) + 1 :]]
    nothing = f"; no {' or '.join(behind)} {whose} are created" if behind else ""
    some = f", and of the other {_plural(first.kind)} perhaps only some" if first.kind in ("exchange", "queue") else ""
    return nothing + some


def _plural(kind: str) -> str:
    return {"policy": "policies"}.get(kind, f"{kind}s")
