"""Names, keys, bindings and paths as people read them."""

from typing import Any

from routesim.events import Path
from routesim.model import PUBLISH_CHANNEL, Binding
from routesim.values import plain

MAX_HOPS = 4  # of a path; of a longer one the first and the last are shown


def shown_key(key: str) -> str:
    """A routing or binding key; what is empty can be seen."""
    return key if key else '""'


def publisher(channel: str | None) -> str:
    """Who publishes on a channel: its name, or that of the consumer whose it is; empty for the one that nobody has named."""
    return "" if channel in (None, PUBLISH_CHANNEL) else str(channel).removesuffix(" (publish)")


def shown_exchange(name: str) -> str:
    """The name of an exchange, which is empty for the default exchange."""
    return name if name else "(default)"


def shown_binding(binding: Binding) -> str:
    """From where to where, and by what."""
    text = f"{shown_exchange(binding.source)} → {binding.destination}"
    if binding.routing_key or not binding.arguments:
        text += f" by {shown_key(binding.routing_key)}"
    if binding.arguments:
        text += f" {_arguments(binding)}"
    return text


def _arguments(binding: Binding) -> str:
    return "{" + ", ".join(f"{key}: {shown_value(value)}" for key, value in binding.arguments.items()) + "}"


def shown_value(value: Any) -> str:
    """A header or argument as it would be written in a scenario."""
    inner = plain(value)
    if inner is None or isinstance(inner, bool):
        return {None: "null", True: "true", False: "false"}[inner]
    return inner if isinstance(inner, str) and not inner.isdigit() else f'"{inner}"' if isinstance(inner, str) else str(inner)


def shown_path(path: Path) -> str:
    """The binding that matched; over several hops all of them."""
    if not path:
        return ""
    if len(path) == 1 and isinstance(path[0], Binding):
        binding = path[0]
        if binding.arguments:
            return f"{shown_key(binding.routing_key)} {_arguments(binding)}" if binding.routing_key else _arguments(binding)
        return shown_key(binding.routing_key)
    hops = []
    for hop in path:
        if isinstance(hop, Binding):
            hops.append(f"{shown_key(hop.routing_key)} → {hop.destination}")
        else:
            hops.append(f"nothing matched → alternate {hop.destination}")
    if len(hops) > MAX_HOPS:
        hops[1:-1] = [f"… {len(hops) - 2} more"]
    return ", ".join(hops)


def path_sentence(path: Path) -> str:
    """How each hop came about, as part of a sentence."""
    hops = []
    for hop in path:
        if isinstance(hop, Binding):
            by = f"binding {shown_key(hop.routing_key)}" if not hop.arguments else f"binding {hop.arguments}"
            hops.append(f"{by} of '{hop.source}' matched")
        else:
            hops.append(f"nothing of '{hop.source}' matched, so its alternate exchange '{hop.destination}' was asked")
    return "; ".join(hops) or "the routing key is the queue's name"
