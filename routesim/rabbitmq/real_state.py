"""What the clients of a real RabbitMQ know of it: their channels, its queues, what has come, and what no step asked for.

What goes on inside (enqueued, dead-lettered, dropped, expired) no client is told; no event says it.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from routesim import events
from routesim.broker import ChannelEnded, ConsumerEnded, StepFailure
from routesim.broker.protocols import EngineQueue, UnackedDelivery
from routesim.events import Event
from routesim.model import ChannelPlan
from routesim.queues import Copy, Delivery, unacked_of
from routesim.rabbitmq.connections import ClosedByBroker, Connections
from routesim.rabbitmq.management import Management
from routesim.rabbitmq.observed import ObservedQueue, RealChannel
from routesim.rabbitmq.pace import Pace
from routesim.rabbitmq.wire import content_of
from routesim.versions import Rules

REAL_TIME = Pace()


class RealState:
    """What the clients of a real broker know. What happens goes to `listen`, what consumers must react to into `outbox`.

    `vhost` is where it works, `shown_vhost` what the scenario calls it. Times are the scenario's: real ones times the speed.
    """

    def __init__(
        self, connections: Connections, management: Management, rules: Rules, *, shown_vhost: str = "/", pace: Pace = REAL_TIME,
        channel_plans: dict[str, ChannelPlan] | None = None, listen: Callable[[Event], None] | None = None,
    ) -> None:  # fmt: skip
        self.connections = connections
        self.management = management
        self.vhost = connections.vhost
        self.shown_vhost = shown_vhost
        self.rules = rules
        self.pace = pace
        self.plans = channel_plans or {}
        self.listen = listen
        self.began = time.monotonic()
        self.channels: dict[str, RealChannel] = {}
        self.queues: dict[str, ObservedQueue] = {}
        self.outbox: deque[Delivery[ObservedQueue] | ConsumerEnded | ChannelEnded] = deque()
        self.failures: list[StepFailure] = []
        self.livelock = None  # a real broker breaks none, it goes on
        self.numbers = 0
        self.serials = 0
        self.arrived = 0
        self.known: dict[tuple[str, str], int] = {}  # (queue, message) -> number of its newest copy
        self.ids: dict[str, str] = {}  # message_id on the wire -> id
        self.counted = dict.fromkeys(("published", "refused", "returned", "failed", "delivered", "redelivered", "acked"), 0)

    @property
    def now(self) -> int:
        return int((time.monotonic() - self.began) * 1000 * self.pace.speed)

    def start_clock(self) -> None:
        """Time 0 is now: what comes before the first step takes no time."""
        self.began = time.monotonic()

    def channel(self, name: str) -> RealChannel:
        """The open channel of that name; opened now when it is not."""
        found = self.channels.get(name)
        if found is not None:
            return found
        plan = self.plans.get(name) or ChannelPlan(name, name)
        opened = self.connections.do(self.connections.connection(plan.connection).channel)
        self.numbers += 1
        channel = RealChannel(name, plan.connection, opened.channel_number, opened, confirms=plan.confirms)
        self.channels[name] = channel
        opened.add_on_cancel_callback(partial(self._cancelled, channel))
        if plan.confirms:
            self.connections.do(opened.confirm_delivery)
        else:
            opened.add_on_return_callback(partial(self._returned_later, channel))
        if plan.prefetch:
            self.connections.do(opened.basic_qos, prefetch_count=plan.prefetch, global_qos=True)
        return channel

    def call(self, channel: RealChannel, method: str, *arguments: Any, **named: Any) -> Any:
        return self.connections.do(getattr(channel.pika, method), *arguments, **named)

    def flush(self, channel: RealChannel) -> None:
        """Wait until the channel has dealt with everything sent before, and hear whether it has closed."""
        self.call(channel, "flow", True)

    def emit(self, event: Event) -> None:
        if self.listen:
            self.listen(event)

    def copy_of(
        self, queue: ObservedQueue, exchange: str, routing_key: str, redelivered: bool, properties: Any, body: bytes
    ) -> Copy:
        message = self.ids.get(properties.message_id, str(properties.message_id))
        content = content_of(exchange, routing_key, properties, body, self.pace)
        number = self.known.get((queue.name, message)) if redelivered else None
        if number is None:
            self.serials += 1
            number = self.known[queue.name, message] = self.serials
        return Copy(number, message, content, None, int(redelivered), int(redelivered))

    def _returned_later(self, channel: RealChannel, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self.arrived += 1
        message = self.ids.get(properties.message_id, str(properties.message_id))
        self.returned(message, method.exchange, method.routing_key, channel.name)

    def returned(self, message: str, exchange: str, routing_key: str, channel: str) -> None:
        self.counted["returned"] += 1
        self.emit(events.Returned(self.now, message, exchange, routing_key, 312, "NO_ROUTE", "the broker returned it", channel))

    def _cancelled(self, channel: RealChannel, frame: Any) -> None:
        """basic.cancel from the broker."""
        self.arrived += 1
        found = channel.subscriptions.pop(frame.method.consumer_tag, None)
        if found is not None:
            self.emit(events.ConsumerCancelled(self.now, found[0].name, found[1].name, "cancelled by the broker"))
            self.outbox.append(ConsumerEnded(found[0].name, channel.name, False, "cancelled by the broker"))

    def shown_text(self, refused: ClosedByBroker) -> str:
        return refused.text.replace(f"vhost '{self.vhost}'", f"vhost '{self.shown_vhost}'")

    def unacked_of(self, queue: EngineQueue) -> list[UnackedDelivery]:
        return unacked_of(self.channels.values(), queue)

    def lost_by_consumer(self, consumer: str, message: str, queue: str, serial: int) -> None:
        self.emit(events.LostByConsumer(self.now, message, queue, serial, consumer))
