"""From the fields that were read to the values of the model."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from routesim.carried import Carried, Deaths
from routesim.model import Binding, Consumer, Exchange, Message, Policy, Queue, Reply, Rule
from routesim.scenario.format.declared import PROPERTIES
from routesim.scenario.yaml.nodes import Text
from routesim.values import NO_ARGUMENTS

Fields = dict[str, Any]


def exchange(name: str, fields: Fields | Text) -> Exchange:
    if isinstance(fields, Text):
        return Exchange(str(name), str(fields))
    return Exchange(
        str(name), str(fields.get("type", "direct")), fields.get("durable", True), fields.get("auto_delete", False),
        fields.get("internal", False), fields.get("arguments", {}),
    )  # fmt: skip


def queue(name: str, fields: Fields) -> Queue:
    arguments = dict(fields.get("arguments", {}))
    if "type" in fields:
        arguments = {"x-queue-type": str(fields["type"]), **arguments}
    return Queue(
        str(name), fields.get("durable", True), fields.get("exclusive", False), fields.get("auto_delete", False), arguments,
        fields.get("server_named", False),
    )  # fmt: skip


def binding(fields: Fields) -> Binding:
    return Binding(
        str(fields.get("source", "")), str(fields.get("destination", "")), str(fields.get("destination_type", "queue")),
        str(fields.get("routing_key", "")), fields.get("arguments", NO_ARGUMENTS),
    )  # fmt: skip


def policy(fields: Fields, *, operator: bool) -> Policy:
    return Policy(
        str(fields.get("name", "")), str(fields.get("pattern", "")), fields.get("definition", {}),
        str(fields.get("apply-to", "all")), fields.get("priority", 0), operator,
    )  # fmt: skip


def message(fields: Fields, id: str | None = None) -> Message:
    """`id` is sent as message_id unless the step gives one."""
    properties = {key: fields[key] if isinstance(fields[key], int) else str(fields[key]) for key in PROPERTIES if key in fields}
    if id is not None:
        properties.setdefault("message_id", id)
    headers = fields.get("headers")
    return Message(
        str(fields.get("exchange", "")), str(fields.get("routing_key", "")), body_of(fields),
        headers if isinstance(headers, dict) else None, fields.get("priority"),
        str(fields["expiration"]) if "expiration" in fields else None, fields.get("delivery_mode", 2),
        fields.get("mandatory", False), properties,
    )  # fmt: skip


def body_of(fields: Fields) -> str:
    return _anything(fields["size"]) if "size" in fields else str(fields.get("body", ""))


@lru_cache(maxsize=1000)
def _anything(size: int) -> str:
    """A body of so many bytes. Messages of one size share it."""
    return "x" * size


def rules(on_message: Any) -> tuple[Rule, ...]:
    if on_message is None:
        return (Rule(),)
    if isinstance(on_message, str):
        return (Rule(str(on_message)),)
    return (*(_rule(fields) for fields in on_message), Rule())


def _rule(fields: Fields) -> Rule:
    return Rule(
        str(fields.get("do", "ack")), _text(fields.get("routing_key")), fields.get("headers"), fields.get("redelivered"),
        fields.get("attempt"), _text(fields.get("message")), fields.get("chance"), fields.get("takes"), fields.get("after"),
        fields.get("restart"), tuple(reply(item) for item in fields.get("publish", ())), carried(fields), fields.get("round"),
    )  # fmt: skip


def carried(fields: Fields) -> Carried | None:
    """What is asked of a delivery's headers; None: nothing."""
    made = Carried(
        tuple(deaths(fields["deaths"])) if "deaths" in fields else (), fields.get("delivery_count"), fields.get("acquired_count"),
        tuple((str(path), value) for path, value in fields.get("header", {}).items()),
        tuple(str(name) for name in fields.get("has_header", ())),
    )  # fmt: skip
    return None if made == Carried() else made


def deaths(asked: Any) -> Iterator[Deaths]:
    """`asked` as its kind reads it: a comparison, fields, or a list of these."""
    for item in asked if isinstance(asked, list) else [asked]:
        if isinstance(item, dict):
            yield Deaths(item.get("count", (">=", 1)), _text(item.get("queue")), _text(item.get("reason")))
        else:
            yield Deaths(item)


def _text(value: Text | None) -> str | None:
    return None if value is None else str(value)


def reply(fields: Fields) -> Reply:
    return Reply(message(fields), _text(fields.get("id")), fields.get("headers") == "copy", fields.get("count", 1))


def consumer(name: str, fields: Fields) -> Consumer:
    arguments = dict(fields.get("arguments", {}))
    if "priority" in fields:
        arguments["x-priority"] = fields["priority"]
    return Consumer(
        str(name), str(fields.get("queue", "")), str(fields.get("channel", name)), fields.get("prefetch"),
        fields.get("auto_ack", False), fields.get("exclusive", False), arguments, fields.get("start", True),
        fields.get("takes", 0), fields.get("concurrency", 1), rules(fields.get("on_message")),
    )  # fmt: skip
