"""An app's task queues as the setting `task_queues` of a scenario, and what that setting has no words for."""

from collections.abc import Iterable
from typing import Any

from routesim.model import Binding, Exchange, Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario.topology_data import binding_form, exchange_form, queue_form


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
        "delivery_mode": (queue["exchange"]["delivery_mode"], None),
        "no_ack": (queue["no_ack"], False),
        "consumer_arguments": (queue["consumer_arguments"], {}),
        "exchange_durable": (exchange["durable"], queue["durable"]),
        "exchange_auto_delete": (exchange["auto_delete"], queue["auto_delete"] and not queue["broadcast"]),
        "exchange_arguments": (exchange["arguments"], {}),
        "queue_arguments": (queue["arguments"], {}),
        "binding_arguments": (first["arguments"] if first else queue["binding_arguments"], {}),
    }
    return {**head, **_given(defaults)}


class Destinations(NamedTuple):
    """`names`: the scenario's name of a queue that the app knows by an alias, or by a name that is made up.

    `addresses`: where a task for a queue with bindings of its own is published, an exchange and a key: as if the queue were
    on the default exchange. So Celery fills in what the queue does not say, though it never binds it there
    (celery/app/amqp.py: Queues._add, send_task_message).
    """

    names: dict[str, str]
    addresses: dict[str, tuple[str, str]]

    def in_scenario_words(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of a call or a route, in the scenario's words."""
        options = {key: value for key, value in options.items() if value is not None}
        if "queue" not in options:
            return options
        queue = self.names.get(str(options["queue"]), str(options["queue"]))
        exchange, key = self.addresses.get(queue, (None, None)) if "exchange" not in options else (None, None)
        if exchange is None:
            return {**options, "queue": queue}
        key = options.get("routing_key", key) if exchange else key
        return {**options, "queue": queue, "exchange": exchange, "routing_key": key}


def destinations_of(queues: Iterable[dict[str, Any]]) -> Destinations:
    found = Destinations({}, {})
    for queue in queues:
        name, exchange = queue_name(queue), queue["exchange"]
        found.names.update({str(queue[word]): name for word in ("alias", "name") if queue[word]})
        if queue["bindings"]:
            direct = exchange["type"] == "direct"
            found.addresses[name] = ("", name) if direct else (exchange["name"], queue["routing_key"])
    return found


def beside(queues: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Sections for the bindings after a queue's first one, which `task_queues` has no words for."""
    exchanges: dict[str, Any] = {}
    bound: dict[str, Any] = {}
    bindings: list[Any] = []
    for queue in queues:
        for binding in queue["bindings"][1:]:
            exchange = binding["exchange"]
            name, source = queue["name"], exchange["name"]
            exchanges[source] = exchange_form(
                Exchange(source, exchange["type"], exchange["durable"], exchange["auto_delete"], False, exchange["arguments"])
            )
            bound[name] = queue_form(
                Queue(name, queue["durable"], queue["exclusive"], queue["auto_delete"], queue["arguments"]), short=False
            )
            bindings.append(binding_form(Binding(source, name, "queue", binding["routing_key"], binding["arguments"])))
    return {"exchanges": exchanges, "queues": bound, "bindings": bindings} if bindings else {}


def _given(options: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: value for name, (value, default) in options.items() if value != default}
