"""A result as JSON: the contract that scripts read. Events as lines of JSON, written as they come."""

import json
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from routesim.broker import counts
from routesim.events import EVENTS, Alternate, Path
from routesim.model import Binding
from routesim.queues import Copy, QueueType
from routesim.run import Result, unacked
from routesim.values import plain

FORMAT = 1


def result_object(result: Result, events: list[str]) -> str:
    """The whole result as one line of JSON; `events` are lines made by `Lines`."""
    broker = result.broker
    found = {
        "format": FORMAT,
        "file": result.scenario.file,
        "scenario": result.scenario.name,
        "rabbitmq": result.scenario.rabbitmq,
        "ok": result.ok,
        "ended": result.ended,
        "clock_ms": broker.now,
        "counts": counts(broker),
        "messages": result.messages.of,
        "queues": {
            name: {
                "ready": [_ready(queue, copy) for copy in queue.ready()],
                "unacked": [
                    {
                        "message": message,
                        "consumer": consumer,
                        "channel": channel,
                        "delivery_tag": tag,
                        "redelivered": redelivered,
                    }
                    for message, consumer, channel, tag, redelivered in unacked(broker, queue)
                ],
            }
            for name, queue in broker.queues.items()
        },
        "consumers": {
            name: {
                "queue": result.scenario.consumers[name].queue if name in result.scenario.consumers else None,
                "deliveries": deliveries,
            }
            for name, deliveries in result.deliveries.of.items()
        },
        "gets": result.gets.all,
        "expectations": [
            {"line": item.line, "text": item.text, "ok": item.ok, "actual": item.actual} for item in result.expectations
        ],
        "errors": [
            {"step": error.step, "code": error.code, "text": error.text, "expected": error.expected} for error in result.errors
        ],
    }
    head = json.dumps(found, ensure_ascii=True, allow_nan=False)
    return f'{head[:-1]}, "events": [{", ".join(events)}]}}'


def _ready(queue: QueueType, copy: Copy) -> dict[str, Any]:
    return {
        "message": copy.message,
        "redelivered": copy.redelivered and queue.takes_settled,
        "exchange": copy.content.exchange,
        "routing_key": copy.content.routing_key,
        "headers": plain(queue.headers(copy, got=True)),
        "expiration": copy.content.expiration,
    }


class Lines:
    """Events to lines of JSON, numbered from 1, each handed to `write` as it comes."""

    def __init__(self, write: Callable[[str], object], end: str = "\n") -> None:
        self.write = write
        self.end = end
        self.seq = 0

    def listen(self, event: Any) -> None:
        self.seq += 1
        kind = type(event)
        template, converters = _TEMPLATES[kind]
        self.write(template % (self.seq, *[convert(value) for convert, value in zip(converters, event, strict=True)]) + self.end)


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _flag(value: bool | None) -> str:
    return "null" if value is None else "true" if value else "false"


def _path(path: Path) -> str:
    return f"[{', '.join(_hop(hop) for hop in path)}]"


def _hop(hop: Binding | Alternate) -> str:
    if isinstance(hop, Alternate):
        return f'{{"source": {quoted(hop.source)}, "alternate_exchange": {quoted(hop.destination)}}}'
    return _binding(hop)


def _binding(binding: Binding) -> str:
    text = (
        f'{{"source": {quoted(binding.source)}, "destination": {quoted(binding.destination)}, '
        f'"destination_type": "{binding.destination_type}", "routing_key": {quoted(binding.routing_key)}'
    )
    if binding.arguments:
        text += f', "arguments": {json.dumps(plain(binding.arguments))}'
    return text + "}"


def _texts(values: tuple[str, ...]) -> str:
    return f"[{', '.join(quoted(value) for value in values)}]"


_CONVERTERS: dict[Any, Callable[[Any], str]] = {
    str: _text, str | None: _text, int: _number, int | None: _number, bool: _flag, bool | None: _flag, Path: _path,
    Binding: _binding, tuple[str, ...]: _texts,
}  # fmt: skip


def _template(kind: type, name: str) -> tuple[str, tuple[Callable[[Any], str], ...]]:
    """A `%` template for the events of one type, and how each of its fields is written."""
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    converters = tuple(_CONVERTERS[kind.__annotations__[field]] for field in fields)
    rest = "".join(f', "{field}": %s' for field in fields[1:])
    return f'{{"seq": %d, "at_ms": %s, "event": "{name}"{rest}}}', converters


_TEMPLATES = {kind: _template(kind, name) for kind, name in EVENTS.items()}
