"""What a broker does beside its topology, and routesim does not: shovels, federation, limits of virtual hosts."""

from collections.abc import Iterable
from typing import Any

from routesim.broker.policies import POLICY_KEYS
from routesim.model import Exchange, Policy

LEFT_OUT = "left-out"  # the code of what a definitions file has and a run has not
# The components of runtime parameters that move or refuse messages.
COMPONENTS = {
    "federation-upstream": "federation is not simulated",
    "federation-upstream-set": "federation is not simulated",
    "shovel": "shovels are not simulated",
    "vhost-limits": "limits of vhosts are not simulated",
}

# What federation keeps for itself where other brokers are downstream of this one (rabbit_federation_upstream_exchange.erl).
FEDERATION_EXCHANGES = ("x-federation-upstream",)


def unsimulated_exchange(exchange: Exchange) -> str | None:
    """What does not follow from it here, as a sentence; None: all does."""
    if exchange.type not in FEDERATION_EXCHANGES:
        return None
    return f"exchange '{exchange.name}' hands on to another broker: federation is not simulated, what it takes stays in its queue"


def unsimulated_parameters(items: Iterable[tuple[Any, dict[str, Any]]]) -> Iterable[tuple[Any, str]]:
    """Of the items of `parameters`, each with its path: one sentence a component, at the first of its items."""
    found: dict[str, list[tuple[Any, str]]] = {}
    for path, item in items:
        component = item.get("component")
        if isinstance(component, str) and component in COMPONENTS:
            found.setdefault(component, []).append((path, str(item.get("name"))))
    for component, named in found.items():
        path, name = named[0]
        more = f" and {len(named) - 1:,} more" if len(named) > 1 else ""
        yield path, f"{component} '{name}'{more}: {COMPONENTS[component]}, nor what follows from them"


def unsimulated_keys(policy: Policy) -> Iterable[tuple[str, str]]:
    """The keys of the policy that make something happen that is not simulated, each with a sentence."""
    for key in policy.definition:
        row = POLICY_KEYS.get(key)
        if row is not None and row.module == "federation":
            yield key, f"'{key}' has no effect here: federation is not simulated"
