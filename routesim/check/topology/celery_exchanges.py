"""What is known of Celery's own exchanges by their names, in files that say nothing of workers."""

from routesim.broker import Broker
from routesim.celery.delays import DELIVERY_EXCHANGE, FIRST_EXCHANGE, LEVELS, level_name
from routesim.celery.settings import SETTINGS
from routesim.explain.keys.key_sets import Keys, all_of, any_of, topic
from routesim.explain.keys.reach import matched

COMMANDS = ".pidbox"  # of workers, a fanout exchange (rules/celery#1.1)
DELAYING = frozenset(level_name(level) for level in range(LEVELS))  # queues whose arguments are Celery's choice


def heard_by_listeners(broker: Broker) -> set[str]:
    """Exchanges of events and of answers to commands, which get their bindings when somebody asks."""
    commands = {name for name, state in broker.exchanges.items() if name.endswith(COMMANDS) and state.declared.type == "fanout"}
    found = {f"reply.{name}" for name in commands}
    if commands:
        found.add(str(SETTINGS["event_exchange"].default))
    return found & broker.exchanges.keys()


def levels_of(key: str) -> list[str]:
    """The levels at which a message with that key waits."""
    bits = key.split(".")[:LEVELS]
    return [level_name(LEVELS - 1 - place) for place, bit in enumerate(bits) if bit == "1"]


def delayed_keys(broker: Broker) -> Keys:
    """The keys with which Celery publishes to `FIRST_EXCHANGE`: 28 bits, then the key of a queue (rules/celery#1.5)."""
    bits = [any_of(topic(f"{'*.' * level}{bit}.#") for bit in "01") for level in range(LEVELS)]
    delivery = broker.exchanges.get(DELIVERY_EXCHANGE)
    bound = [matched(delivery, binding) for binding in delivery.bindings.values()] if delivery is not None else []
    return all_of([*bits, any_of(bound)])  # none where no queue is behind: Celery then delays nothing by it


__all__ = ["DELAYING", "FIRST_EXCHANGE", "delayed_keys", "heard_by_listeners", "levels_of"]
