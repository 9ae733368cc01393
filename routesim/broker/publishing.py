"""basic.publish: the checks, the route, the queues, and what the publisher is told (rules/routing#3)."""

from collections.abc import Sequence
from typing import Any

from routesim import events, steps
from routesim.broker.broker import REMEMBERED_CONTENTS
from routesim.broker.clock import DELAYED
from routesim.broker.records import NotPossible, PendingDeadLetter, PendingPublish, PublishOutcome, RememberedRoute
from routesim.broker.routing import route
from routesim.broker.state import State
from routesim.content import Content
from routesim.model import DEFAULT_EXCHANGE, REPLY_TO, Binding, Message
from routesim.queues import Channel, Copy, QueueType
from routesim.queues.argument_checks import TEN_YEARS_MS
from routesim.replies import AmqpError
from routesim.values import raw, wire_type
from routesim.versions import Rules

USER = "guest"  # as whom everything is published
SHORTSTR_BYTES = 255


def publish(broker: State, step: steps.Publish) -> None:
    channel = broker.channel(step.channel)
    message = with_id(step.message, step.id) if broker.ids_are_sent else step.message
    ledger = broker.ledger
    ledger.published += 1
    if broker.listen:
        broker.listen(events.Published(broker.now, step.id, message.exchange, message.routing_key, step.channel))
    try:
        content = _checked(broker, channel, message)
    except (AmqpError, NotPossible) as refused:
        ledger.failed += 1
        if broker.listen:
            broker.listen(events.Unpublished(broker.now, step.id, str(refused)))
        raise
    found = route(broker, message.exchange, step.id, content)
    if channel.answered is not None:
        ledger.uncommitted += 1
        if broker.listen:
            broker.listen(events.Uncommitted(broker.now, step.id, step.channel))
        pending = PendingPublish(step.id, content, found, message.mandatory)
        broker.uncommitted.setdefault(channel.name, []).append(pending)
        return
    enqueue_everywhere(broker, channel, step.id, content, found, mandatory=message.mandatory)


def check_short_strings(message: Message) -> None:
    """Raises `NotPossible` where AMQP cannot carry the message: names and properties have 255 bytes at most. A scenario's own are
    checked when it is read; what a rule fills in of a delivery is known only here."""
    if message.encoded is not None:  # it has been carried
        return
    for name, text in (("exchange", message.exchange), ("routing_key", message.routing_key), *message.properties.items()):
        if isinstance(text, str) and len(text) > SHORTSTR_BYTES // 4 and (size := len(text.encode())) > SHORTSTR_BYTES:
            raise NotPossible(f"no client can publish this: {name} has {size:,} bytes, and AMQP carries {SHORTSTR_BYTES} at most")


def with_id(message: Message, id: str) -> Message:
    """The message as a client of a real broker sends it, where nothing but a property can tell it from others."""
    return message._replace(properties={"message_id": id, **message.properties})


def enqueue_everywhere(
    broker: State, channel: Channel[QueueType], message_id: str, content: Content, found: RememberedRoute, *, mandatory: bool
) -> bool:
    """Put a routed message into its queues and tell the publisher; False when a queue refused it."""
    ledger = broker.ledger
    accepted, refused = _enqueue(broker, message_id, content, found, channel.name, "published")
    replied = _reply(broker, message_id, content) if content.exchange == DEFAULT_EXCHANGE else 0
    if replied and broker.rules.direct_reply_is_a_queue:
        accepted += replied
    for exchange, delay_ms in found.delayed_by:
        nothing_yet = not (accepted or refused or mandatory)
        delay(broker, exchange, delay_ms, message_id, content, counted_as_delayed=nothing_yet)
    returned = False
    if refused:
        ledger.refused += 1
    elif accepted:
        ledger.routed += 1
    elif mandatory and not _addressed(broker, content):
        ledger.returned += 1
        returned = True
        if broker.listen:
            broker.listen(
                events.Returned(
                    broker.now, message_id, content.exchange, content.routing_key, 312, "NO_ROUTE", found.why_nowhere,
                    channel.name,
                )
            )  # fmt: skip
    elif found.delayed_by:
        ledger.delayed += 1
    elif replied:
        ledger.routed += 1
    else:
        ledger.unroutable += 1
    if broker.listen:
        if not (accepted or refused or found.delayed_by or replied):
            broker.listen(
                events.Unroutable(
                    broker.now, message_id, content.exchange, content.routing_key, found.why_nowhere, returned,
                    channel.confirms and not returned, channel.name,
                )
            )  # fmt: skip
        if channel.confirms:
            broker.listen(events.Confirmed(broker.now, message_id, "nack" if refused else "ack", accepted))
    if broker.tells_publishers and (returned or channel.confirms):
        broker.told.append(PublishOutcome(channel.name, message_id, content, returned, refused > 0))
    return not refused


def _enqueue(
    broker: State,
    message_id: str,
    content: Content,
    found: RememberedRoute,
    channel: str | None,
    cause: str,
    *,
    replayed: bool = False,
) -> tuple[int, int]:
    """One copy into each queue of the route; returns how many queues took it and how many refused.

    `replayed`: the publish has been accounted for before.
    """
    accepted = refused = 0
    ledger = broker.ledger
    queues = found.queues
    if len(queues) > 1 and broker.races is not None:
        names = [queue.name for queue, _ in queues]
        queues = tuple(queues[index] for index in broker.races.order(names, f"{message_id} comes to {{}}"))
    for queue, path in queues:
        if queue.knows_publishers and channel in broker.channels:
            broker.channels[channel].publishes_to.add(queue.name)
        why = queue.refusal(content, channel)
        if why is not None:
            refused += 1
            if broker.listen:
                broker.listen(events.Refused(broker.now, message_id, queue.name, why))
            if queue.settings.overflow == "reject-publish-dlx" and queue.settings.dead_letter_exchange is not None:
                broker.serial += 1
                copy = Copy(broker.serial, message_id, content)
                broker.pending_dead_letters.append(PendingDeadLetter(queue, copy, "maxlen", "", False))
            continue
        accepted += 1
        broker.serial = serial = broker.serial + 1
        if replayed:
            ledger.replayed += 1
        else:
            ledger.enqueued += 1
        if broker.listen:
            broker.listen(events.Enqueued(broker.now, message_id, queue.name, serial, cause, path))
        queue.publish(broker, Copy(serial, message_id, content, queue.expires_at(content, broker.now)), channel)
    return accepted, refused


def _addressed(broker: State, content: Content) -> bool:
    """Since 4.2 the address of a direct reply-to consumer counts as a queue, even once it is gone (rules/routing#U24)."""
    if not broker.rules.direct_reply_is_a_queue or content.exchange != DEFAULT_EXCHANGE:
        return False
    return any(key in broker.reply_channels for key in content.keys)


def _reply(broker: State, message_id: str, content: Content) -> int:
    """A publish to the address of a direct reply-to consumer goes straight to it (rules/routing#3.5)."""
    replied = 0
    for key in dict.fromkeys(content.keys):
        name = broker.reply_channels.get(key)
        channel = broker.channels.get(name) if name is not None else None
        if channel is None or channel.reply_consumer is None:
            continue
        subscription, _ = channel.subscriptions[channel.reply_consumer]
        broker.serial += 1
        broker.ledger.enqueued += 1
        if broker.listen:
            broker.listen(events.Enqueued(broker.now, message_id, REPLY_TO, broker.serial, "reply", ()))
        broker.deliver(broker.reply_queue, subscription, Copy(broker.serial, message_id, content))
        replied += 1
    return replied


def delay(broker: State, exchange: str, delay_ms: int, message_id: str, content: Content, *, counted_as_delayed: bool) -> None:
    """The message waits in an x-delayed-message exchange. `counted_as_delayed`: that is all that became of its publish."""
    broker.agenda.add(broker.now + delay_ms, DELAYED, exchange, message_id, content, counted_as_delayed)
    if broker.listen:
        broker.listen(events.Delayed(broker.now, message_id, exchange, broker.now + delay_ms))


def delay_over(broker: State, exchange: str, message_id: str, content: Content, counted_as_delayed: bool) -> None:
    """A message leaves its x-delayed-message exchange, with the bindings of this moment (rules/routing#W4)."""
    ledger = broker.ledger
    if counted_as_delayed:
        ledger.delayed -= 1
    if exchange not in broker.exchanges:
        found = RememberedRoute((), (), f"exchange '{exchange}' is gone")
    else:
        content = _undelayed(content)
        found = route(broker, exchange, message_id, content, delay_over=True)
    accepted, _ = _enqueue(broker, message_id, content, found, None, "delayed", replayed=not counted_as_delayed)
    if not counted_as_delayed:
        return
    if accepted:
        ledger.routed += 1
        return
    ledger.unroutable += 1
    if broker.listen:
        broker.listen(
            events.Unroutable(broker.now, message_id, content.exchange, content.routing_key, found.why_nowhere, False, True)
        )


def _undelayed(content: Content) -> Content:
    headers = dict(content.headers or {})
    delay = raw(headers["x-delay"])
    headers["x-delay"] = -delay if not isinstance(delay, str) else -int(delay)
    return Content(
        content.exchange, content.routing_key, content.keys, headers, content.body, size=content.size, priority=content.priority,
        expiration=content.expiration, ttl_ms=content.ttl_ms, delivery_mode=content.delivery_mode,
        properties=content.properties, annotations=content.annotations,
    )  # fmt: skip


def replay(broker: State, recent: Sequence[tuple[str, Content]], binding: Binding) -> None:
    """A new binding of an x-recent-history exchange gets what the exchange remembers (rules/routing#Y3, rules/routing#Y4)."""
    if binding.destination_type == "queue":
        queue = broker.queues[binding.destination]
        found = RememberedRoute(((queue, (binding,)),), (binding,), "")
        for message_id, content in recent:
            _enqueue(broker, message_id, content, found, None, "replayed", replayed=True)
        return
    for message_id, content in reversed(recent):
        found = route(broker, binding.destination, message_id, content)
        if not found.queues:
            raise AmqpError(541, broker.rules.replay_nowhere_text)
        _enqueue(broker, message_id, content, found, None, "replayed", replayed=True)


# Checks ------------------------------------------------------------------------------------------------------------


def _checked(broker: State, channel: Channel[QueueType], message: Message) -> Content:
    """The message as the broker will hold it. Raises `AmqpError` as RabbitMQ does, in its order (rules/routing#U1)."""
    known = broker.contents.get(id(message))
    fresh = known is None or known[0] is not message
    content = _parse(message) if known is None or fresh else known[1]
    limit = broker.broker_settings.max_message_size or broker.rules.message_size_limit
    if content.size > limit:
        raise AmqpError(406, f"message size {content.size} is larger than configured max size {limit}")
    if message.exchange != DEFAULT_EXCHANGE and broker.exchange(message.exchange).declared.internal:
        raise AmqpError(403, f"cannot publish to internal exchange '{message.exchange}' in vhost '{broker.vhost}'")
    if message.properties.get("reply_to") == REPLY_TO:
        check_short_strings(message)
        return _validated(broker.rules, message, _with_reply_address(channel, content))
    if fresh:
        check_short_strings(message)
        content = _validated(broker.rules, message, content)
        if message.encoded is not None:  # a client's own, which is published once
            return content
        if len(broker.contents) >= REMEMBERED_CONTENTS:
            broker.contents.clear()
        broker.contents[id(message)] = (message, content)
    return content


def _parse(message: Message) -> Content:
    headers = message.headers
    keys: tuple[str, ...] = (message.routing_key,)
    encoded = message.encoded
    if headers and ("CC" in headers or "BCC" in headers):
        keys += tuple(key for name in ("CC", "BCC") for key in texts(headers.get(name)))
        headers = {key: value for key, value in headers.items() if key != "BCC"}  # rules/routing#U19
        encoded = None
    return Content(
        message.exchange, message.routing_key, keys, headers, message.body, priority=message.priority,
        expiration=message.expiration, delivery_mode=message.delivery_mode, properties=message.properties, encoded=encoded,
    )  # fmt: skip


def texts(value: Any) -> list[str]:
    """The longstr elements of a CC or BCC header; others do not count (rules/routing#U18)."""
    inner = raw(value)
    return [raw(item) for item in inner if wire_type(item) == "longstr"] if isinstance(inner, list) else []


def _validated(rules: Rules, message: Message, content: Content) -> Content:
    user = raw(message.properties.get("user_id", USER))
    wrong_user = user != USER
    if wrong_user and not rules.user_id_checked_last:
        raise _user_refused(user)
    if message.expiration is not None:
        content.ttl_ms = parse_expiration(message.expiration)
    if rules.delivery_mode_checked and message.delivery_mode not in (1, 2, None):
        raise AmqpError(406, f"invalid message: {{delivery_mode_unknown,{message.delivery_mode}}}", argument="delivery_mode")
    for name in ("CC", "BCC"):
        if message.headers and name in message.headers and wire_type(message.headers[name]) != "array":
            kind = wire_type(message.headers[name])
            raise AmqpError(406, f'invalid message: {{unacceptable_type_in_header,"{name}",{kind}}}', argument="headers")
    if wrong_user:
        raise _user_refused(user)
    return content


def _user_refused(user: Any) -> AmqpError:
    return AmqpError(406, f"user_id property set to '{user}' but authenticated user was '{USER}'", argument="user_id")


def parse_expiration(text: str) -> int:
    """The `expiration` property in ms. Raises `AmqpError` (406) as RabbitMQ does (rules/routing#U11)."""
    sign, digits = (text[:1], text[1:]) if text[:1] in ("+", "-") else ("", text)
    count = len(digits) - len(digits.lstrip("0123456789"))
    if not count:
        reason = "no_integer"
    elif count < len(digits):
        reason = f'{{leftover_string,"{digits[count:]}"}}'
    else:
        number = int(sign + digits) if len(digits) < 4000 else TEN_YEARS_MS + 1
        if 0 <= number <= TEN_YEARS_MS:
            return number
        reason = f"{{value_negative,{number}}}" if number < 0 else f"{{value_too_large,{number}}}"
    raise AmqpError(406, f"invalid expiration '{text}': {reason}", argument="expiration")


def _with_reply_address(channel: Channel[QueueType], content: Content) -> Content:
    if channel.reply_consumer is None:
        raise AmqpError(406, "fast reply consumer does not exist", argument="reply_to")
    return Content(
        content.exchange, content.routing_key, content.keys, content.headers, content.body, size=content.size,
        priority=content.priority, expiration=content.expiration, ttl_ms=content.ttl_ms, delivery_mode=content.delivery_mode,
        properties={**content.properties, "reply_to": channel.reply_address},
    )  # fmt: skip
