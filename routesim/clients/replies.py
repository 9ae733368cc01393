"""Messages that a consumer or a task publishes, made of a template and the delivery that it is at."""

from typing import Any

from routesim.content import body_text
from routesim.model import Message, Reply
from routesim.queues import DeliveringQueue, Delivery
from routesim.values import raw


def message_of(reply: Reply, delivery: Delivery[DeliveringQueue], attempt: int, round: int = 0) -> Message:
    """The message, its placeholders filled from the delivery."""
    content = delivery.copy.content
    given = {
        "$reply_to": _text(content.properties.get("reply_to")),
        "$correlation_id": _text(content.properties.get("correlation_id")),
        "$routing_key": content.routing_key,
        "$body": body_text(content.body),
        "$attempt": str(attempt),
        "$round": str(round),
    }
    template = reply.message
    headers = _fill_table(template.headers, given)
    if reply.copy_headers:
        headers = delivery.queue.headers(delivery.copy) or None
    return Message(
        _fill(template.exchange, given), _fill(template.routing_key, given), _fill(body_text(template.body), given), headers,
        template.priority, None if template.expiration is None else _fill(template.expiration, given),
        template.delivery_mode, template.mandatory,
        {key: _fill(value, given) if isinstance(value, str) else value for key, value in template.properties.items()},
    )  # fmt: skip


def _text(value: Any) -> str:
    return "" if raw(value) is None else str(raw(value))


def _fill(text: str, given: dict[str, str]) -> str:
    """`text` with its placeholders replaced, all at once: what is filled in is not looked at again."""
    if "$" not in text:
        return text
    parts, rest = [], text
    while rest:
        name = next((name for name in given if rest.startswith(name)), None)
        if name is not None:
            parts.append(given[name])
            rest = rest[len(name) :]
        else:
            end = rest.find("$", 1)
            parts.append(rest if end < 0 else rest[:end])
            rest = "" if end < 0 else rest[end:]
    return "".join(parts)


def _fill_table(table: Any, given: dict[str, str]) -> Any:
    if isinstance(table, str):
        return _fill(table, given)
    if isinstance(table, dict):
        return {key: _fill_table(value, given) for key, value in table.items()}
    if isinstance(table, list):
        return [_fill_table(value, given) for value in table]
    return table
