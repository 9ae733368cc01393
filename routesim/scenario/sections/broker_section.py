"""The section `broker`."""

from typing import Any

from routesim.model import BrokerSettings
from routesim.scenario.format.declared import BROKER_SETTINGS
from routesim.scenario.format.kinds import Reader
from routesim.scenario.yaml.nodes import Mapping, Node
from routesim.versions import Rules
from routesim.versions.deprecated import without_effect

WORDS = {"rabbitmq": "RabbitMQ", "redis": "Redis"}


def broker_settings(
    reader: Reader, broker: dict[str, Any], written: Node | None, default_type: str | None, rules: Rules, *, redis: bool
) -> BrokerSettings:
    """The settings, where every one must belong to that kind of broker. `written` is the section's node; `default_type` that
    of a definitions file; `redis`: whether this may be one."""
    kind = str(broker.get("kind", "rabbitmq"))
    for name in written if isinstance(written, Mapping) else ():
        belongs = next((other for other, settings in BROKER_SETTINGS.items() if name in settings), kind)
        if belongs != kind:
            cure = f"take it out, or write `kind: {belongs}`"
            reader.error("wrong-value", f"{name} is a setting of {WORDS[belongs]}, and this broker is {WORDS[kind]}", name, cure)
    if kind == "redis" and not redis:
        reader.error(
            "not-simulated", "this command knows RabbitMQ's rules alone, and this scenario's broker is Redis", broker["kind"],
            "`routesim run`, `check`, `graph`, `celery`, `explain message`, `queue` and `task` know both",
        )  # fmt: skip
    steps_given = list(broker.get("priority_steps", ()))
    if isinstance(written, Mapping) and broker.get("restore_every") == 0:
        reader.error("wrong-value", "restore_every is to be more than 0", written["restore_every"], "leave it out for 100s")
    permit = broker.get("permit", ())
    for name in permit:
        why = without_effect(rules, str(name))
        if why is not None:
            reader.warning("no-effect", f"{name} is permitted in vain: {why}", name, "take it out")
    order = broker.get("queue_order")
    default_type = str(broker["default_queue_type"]) if "default_queue_type" in broker else default_type
    return BrokerSettings(
        broker.get("consumer_timeout"), broker.get("max_message_size"), default_type, kind, broker.get("visibility_timeout"),
        broker.get("restore_every"), tuple(steps_given) or None, None if order is None else str(order),
        tuple(dict.fromkeys(map(str, permit))), broker.get("restore_limit"),
    )  # fmt: skip
