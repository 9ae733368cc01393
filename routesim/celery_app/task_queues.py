"""An app's task queues as the setting `task_queues` of a scenario, and what that setting has no words for."""

from collections.abc import Iterable
from typing import Any


def queue_name(queue: dict[str, Any]) -> str:
    """A Broadcast is known by its alias: each worker has a queue of its own, with a name of its own."""
    return str(queue["alias"] if queue["broadcast"] and queue["alias"] else queue["name"])


def queue_options(queue: dict[str, Any]) -> dict[str, Any]:
    """All that differs from what a scenario takes for granted; exchange and key are always written."""
    name, first = queue_name(queue), (queue["bindings"] or [None])[0]
    # A queue with bindings of its own is bound by them alone (kombu/entity.py: Queue.__init__).
    exchange, key = (first["exchange"], first["routing_key"]) if first else (queue["exchange"], queue["routing_key"])
    if queue["broadcast"]:
        head = {"broadcast": True, **({"exchange": exchange["name"]} if exchange["name"] != name else {})}
    else:
        head = {"exchange": exchange["name"], "exchange_type": exchange["type"], "routing_key": key}
    # What is said of the queue holds for its exchange where nothing else is said of that.
    defaults = {
        "durable": (queue["durable"], True),
        "auto_delete": (queue["auto_delete"], queue["broadcast"]),
        "exclusive": (queue["exclusive"], False),
        "exchange_durable": (exchange["durable"], queue["durable"]),
        "exchange_auto_delete": (exchange["auto_delete"], queue["auto_delete"] and not queue["broadcast"]),
        "exchange_arguments": (exchange["arguments"], {}),
        "queue_arguments": (queue["arguments"], {}),
        "binding_arguments": (first["arguments"] if first else queue["binding_arguments"], {}),
    }
    return {**head, **_given(defaults)}


def addresses_of(queues: Iterable[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Where a task for a queue with bindings of its own is published: as if the queue were on the default exchange.

    That is how Celery fills in what the queue does not say (celery/app/amqp.py: Queues._add), though it never binds it there.
    """
    found = {}
    for queue in queues:
        if queue["bindings"]:
            direct = {"exchange": "", "routing_key": queue["name"]}
            default = {"exchange": queue["exchange"]["name"], "routing_key": queue["routing_key"]}
            found[queue_name(queue)] = direct if queue["exchange"]["type"] == "direct" else default
    return found


def beside(queues: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Sections for the bindings after a queue's first one, which `task_queues` has no words for."""
    exchanges: dict[str, Any] = {}
    bound: dict[str, Any] = {}
    bindings: list[Any] = []
    for queue in queues:
        for binding in queue["bindings"][1:]:
            exchange = binding["exchange"]
            flags = _flags(exchange)
            exchanges[exchange["name"]] = {"type": exchange["type"], **flags} if flags else exchange["type"]
            bound[queue["name"]] = _flags(queue)
            ends = {"source": exchange["name"], "destination": queue["name"]}
            given = {"routing_key": (binding["routing_key"], ""), "arguments": (binding["arguments"], {})}
            bindings.append({**ends, **_given(given)})
    return {"exchanges": exchanges, "queues": bound, "bindings": bindings} if bindings else {}


def _flags(declared: dict[str, Any]) -> dict[str, Any]:
    """The options of an exchange or a queue that differ from those of a scenario's."""
    defaults = {"durable": True, "auto_delete": False, "exclusive": False, "arguments": {}}
    return _given({key: (declared.get(key, default), default) for key, default in defaults.items()})


def _given(options: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: value for name, (value, default) in options.items() if value != default}
