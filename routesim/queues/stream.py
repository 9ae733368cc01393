"""Streams, as far as AMQP 0-9-1 shows them (rules/queues#8): an append-only log that every consumer reads for itself."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from routesim.content import Content
from routesim.epoch import virtual_ms
from routesim.queues.argument_checks import age_ms, begins_with_digit
from routesim.queues.base import ACK, Host, QueueType
from routesim.queues.consumers import Channel, Copy, Delivery, Subscription
from routesim.queues.fingerprint import ConsumerNumbers, Fingerprint
from routesim.replies import AmqpError
from routesim.values import Table, Value, erlang_term, is_integer, raw, wire_type

NAMED_OFFSETS = ("first", "last", "next")


class Stream(QueueType):
    """`log` holds every message with the instant of its arrival in ms; its index is its offset."""

    kind = "stream"
    keeps_log = True
    replicated = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.log: list[tuple[int, Copy]] = []

    def expires_at(self, content: Content, now: int) -> int | None:
        return None

    def publish(self, host: Host, copy: Copy, channel: str | None) -> None:
        self.log.append((host.now, copy))
        for subscription in list(self.subscriptions.values()):
            self._read(host, subscription)

    def _read(self, host: Host, subscription: Subscription) -> None:
        while subscription.credit > 0 and not subscription.channel.stalled and subscription.offset < len(self.log):
            subscription.credit -= 1
            subscription.offset += 1
            host.deliver(self, subscription, self.log[subscription.offset - 1][1])

    def resume(self, host: Host, channel: Channel[QueueType]) -> None:
        for subscription in list(self.subscriptions.values()):
            if subscription.channel is channel:
                self._read(host, subscription)

    def check_consume(self, auto_ack: bool, exclusive: bool, arguments: Table, channel: Channel[QueueType]) -> None:
        if not channel.prefetch:
            stream = f"stream {self.where()}" if self.rules.texts_say_stream else f"'{self.where()}'"
            raise AmqpError(406, f"consumer prefetch count is not set for {stream}")
        if channel.limit:
            raise AmqpError(540, f"{self.where()} does not support global qos")
        if auto_ack:
            stream = "stream" if self.rules.texts_say_stream else "stream queues"
            raise AmqpError(540, f"automatic acknowledgement not supported by {stream} {self.where()}")
        super().check_consume(auto_ack, exclusive, arguments, channel)
        asked = arguments.get("x-stream-offset", "next")
        offset = raw(asked)
        no_age = isinstance(offset, str) and offset not in NAMED_OFFSETS and not begins_with_digit(offset)
        no_offset = not is_integer(asked) and wire_type(asked) not in ("longstr", "timestamp")
        if no_offset or (no_age and self.rules.max_age_without_digit_crashes):
            raise AmqpError(541, "INTERNAL_ERROR")
        if not self._offset_is_valid(asked):
            problem = f"{{invalid_stream_offset_arg,{{{wire_type(asked)},{erlang_term(offset)}}}}}"
            raise AmqpError(406, f"invalid arg 'x-stream-offset' for {self.where()}: {problem}")

    @staticmethod
    def _offset_is_valid(offset: object) -> bool:
        inner = raw(offset)
        if is_integer(offset) or wire_type(offset) == "timestamp":
            return True
        return isinstance(inner, str) and (inner in NAMED_OFFSETS or age_ms(inner) is not None)

    def check_get(self, channel: Channel[QueueType]) -> None:
        raise AmqpError(540, f"basic.get not supported by stream queues {self.where()}")

    def consume(self, host: Host, subscription: Subscription) -> None:
        self.subscriptions[subscription.channel.name, subscription.tag] = subscription
        self.had_consumers = True
        subscription.credit = subscription.prefetch
        subscription.offset = self._start(subscription.arguments.get("x-stream-offset", "next"), host.now)
        self._read(host, subscription)

    def _start(self, offset: object, now: int) -> int:
        inner = raw(offset)
        if inner == "first":
            return 0
        if inner == "next":
            return len(self.log)
        if inner == "last":
            return max(0, len(self.log) - 1)  # every publish is a chunk of its own here
        if wire_type(offset) == "timestamp":
            since = virtual_ms(inner)
        elif isinstance(inner, str):
            since = now - (age_ms(inner) or 0)
        else:
            return max(0, int(inner))  # beyond the end: nothing below it, when it comes (rules/queues#8.3)
        return bisect_left(self.log, since, key=lambda item: item[0])

    def cancel(self, host: Host, subscription: Subscription) -> None:
        self.remove_consumer(subscription)

    def remove_consumer(self, subscription: Subscription) -> None:
        del self.subscriptions[subscription.channel.name, subscription.tag]
        subscription.cancelled = True

    def channel_down(self, host: Host, channel: Channel[QueueType], deliveries: Sequence[Delivery[QueueType]], why: str) -> None:
        """Nothing comes back: the log still has it."""

    def check_answer(self, how: str, why: str) -> None:
        if how != ACK and self.rules.stream_refuses_nack:
            raise AmqpError(540, f"basic.nack and basic.reject not supported by stream queues {self.where()}")

    def settle(self, host: Host, subscription: Subscription | None, copies: Sequence[Copy], how: str, by: str, why: str) -> None:
        # However it is settled: it gives credit (rules/queues#8.2).
        if subscription is not None and not subscription.cancelled:
            subscription.credit += len(copies)
            self._read(host, subscription)

    def get(self, host: Host) -> Copy | None:
        return None

    def purge(self, host: Host) -> list[Copy]:
        raise AmqpError(540, f"queue.purge not supported by stream queues {self.where()}")

    def tick(self, host: Host) -> None:
        """Streams set no timers."""

    def restart(self, host: Host, *, clean: bool) -> list[Copy]:
        return []

    def ready(self) -> Iterator[Copy]:
        for _, copy in self.log:
            yield copy

    def ready_count(self) -> int:
        return len(self.log)

    def headers(self, copy: Copy, *, got: bool = False) -> Table:
        place = bisect_left(self.log, copy.serial, key=lambda item: item[1].serial)  # they came in the order of their numbers
        offset = place if place < len(self.log) and self.log[place][1] is copy else None
        kept = {name: value for name, value in copy.content.delivered_headers().items() if self._keeps(name, value)}
        return {**kept, "x-stream-offset": offset}

    def _keeps(self, name: str, value: Value) -> bool:
        """What is stored has the form of AMQP 1.0, where properties of an application hold no lists or tables."""
        if not isinstance(raw(value), list | dict):
            return True
        return self.rules.stream_keeps_nested and (name == "CC" or name.startswith("x-"))

    def _unshare(self, twins: dict[int, Subscription]) -> None:
        self.log = self.log.copy()

    def _own_fingerprint(self, prints: Fingerprint, numbers: ConsumerNumbers) -> tuple[Any, ...]:
        return prints.copies(self.ready())
