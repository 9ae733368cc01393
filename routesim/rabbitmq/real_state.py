"""What the clients of a real RabbitMQ know of it: their channels, its queues, what has come, and what no step asked for.

What goes on inside (enqueued, dead-lettered, dropped, expired) no client is told; no event says it.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from routesim import events
from routesim.broker import ChannelEnded, ConsumerEnded, StepFailure
from routesim.broker.protocols import EngineQueue, UnackedDelivery
from routesim.events import Event
from routesim.model import ChannelPlan, Message
from routesim.queues import Copy, Delivery, unacked_of
from routesim.rabbitmq.connections import ClosedByBroker, Connections
from routesim.rabbitmq.http.management import Management
from routesim.rabbitmq.observed import ObservedQueue, RealChannel
from routesim.rabbitmq.pace import Pace
from routesim.rabbitmq.wire import content_of
from routesim.replies import CHANNEL_CODES
from routesim.versions import Rules

REAL_TIME = Pace()
FOLDED = re.compile(r",\n +")


class _KnownConsumers(dict[str, Any]):
    """The library's consumers of a channel. RabbitMQ 4.3 cancels a consumer once for each acknowledgement that comes too late;
    the library fails at the second time, where it knows the consumer no more. `gone`: those that the broker has cancelled."""

    def __init__(self, known: dict[str, Any]) -> None:
        super().__init__(known)
        self.gone: set[str] = set()

    def __missing__(self, tag: str) -> Any:
        if tag not in self.gone:
            raise KeyError(tag)
        return SimpleNamespace(
            tearing_down=True, active=False, cancelled_by_broker=True, auto_ack=False, alternate_event_sink=lambda event: None
        )


class RealState:
    """What the clients of a real broker know. What happens goes to `listen`, what consumers must react to into `outbox`.

    `vhost` is where it works, `shown_vhost` what the scenario calls it. Times are the scenario's: real ones times the speed.
    """

    def __init__(
        self, connections: Connections, management: Management, rules: Rules, *, shown_vhost: str = "/", pace: Pace = REAL_TIME,
        channel_plans: dict[str, ChannelPlan] | None = None, listen: Callable[[Event], None] | None = None,
        default_queue_type: str | None = None, restart_command: str | None = None,
    ) -> None:  # fmt: skip
        self.connections = connections
        self.management = management
        self.vhost = connections.vhost
        self.shown_vhost = shown_vhost
        self.rules = rules
        self.pace = pace
        self.default_queue_type = default_queue_type
        self.restart_command = restart_command
        self.plans = channel_plans or {}
        self.listen = listen
        self.began = time.monotonic()
        self.channels: dict[str, RealChannel] = {}
        self.queues: dict[str, ObservedQueue] = {}
        self.outbox: deque[Delivery[ObservedQueue] | ConsumerEnded | ChannelEnded] = deque()
        self.handed: Delivery[ObservedQueue] | None = None  # what a client got last, for whoever hears of it
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
        opened = self.connections.open_channel(plan.connection)
        self.numbers += 1
        opened._consumer_infos = _KnownConsumers(opened._consumer_infos)
        channel = RealChannel(name, plan.connection, opened.channel_number, opened, confirms=plan.confirms)
        self.channels[name] = channel
        opened.add_on_cancel_callback(partial(self._cancelled, channel))
        if plan.confirms:
            self.connections.do(opened.confirm_delivery)
        else:
            # Of the channel itself: pika's own queue of returns is forgotten when the broker closes the channel right after.
            opened._impl.add_on_return_callback(partial(self._returned_later, channel))
        if plan.prefetch:
            self.connections.do(opened.basic_qos, prefetch_count=plan.prefetch, global_qos=True)
        return channel

    def call(self, channel: RealChannel, method: str, *arguments: Any, **named: Any) -> Any:
        return self.connections.do(getattr(channel.pika, method), *arguments, **named)

    def flush(self, channel: RealChannel) -> None:
        """Wait until the channel has dealt with everything sent before, and hear whether it has closed."""
        self.connections.flush([channel.pika])
        if not channel.pika.is_open:
            raise closed_by_broker(channel)

    def emit(self, event: Event) -> None:
        if self.listen:
            self.listen(event)

    def on_the_wire(self, message: Message) -> Message:
        """By the default exchange to a queue that the broker has named: its key is that name."""
        queue = self.queues.get(message.routing_key) if message.exchange == "" else None
        return message if queue is None else message._replace(routing_key=queue.broker_name)

    def _key_here(self, exchange: str, routing_key: str) -> str:
        if exchange or routing_key in self.queues:
            return routing_key
        return next((queue.name for queue in self.queues.values() if queue.broker_name == routing_key), routing_key)

    def copy_of(
        self, queue: ObservedQueue, exchange: str, routing_key: str, redelivered: bool, properties: Any, body: bytes
    ) -> Copy:
        message = self.ids.get(properties.message_id, str(properties.message_id))
        self._taken_back(queue, message)
        content = content_of(exchange, self._key_here(exchange, routing_key), properties, body, self.pace)
        number = self.known.get((queue.name, message)) if redelivered else None
        if number is None:
            self.serials += 1
            number = self.known[queue.name, message] = self.serials
        return Copy(number, message, content, None, int(redelivered), int(redelivered))

    def _taken_back(self, queue: ObservedQueue, message: str) -> None:
        """What comes from a queue is held no more by a consumer that the broker has cancelled, be it for an acknowledgement that
        came too late (4.3, rules/queues#5.10): it says which consumer, and not what it takes back."""
        for channel in self.channels.values():
            for item in list(channel.unacked.values()):
                owner = item.subscription
                if owner is not None and owner.cancelled and item.queue is queue and item.copy.message == message:
                    del channel.unacked[item.tag]
                    why = "acknowledgement timeout"
                    self.emit(events.Requeued(self.now, message, queue.name, item.copy.serial, owner.name, why))

    def _returned_later(self, channel: RealChannel, _: Any, method: Any, properties: Any, body: bytes) -> None:
        if channel.confirms:  # since a step said so: the publish itself tells of it
            return
        self.arrived += 1
        message = self.ids.get(properties.message_id, str(properties.message_id))
        self.returned(message, method.exchange, method.routing_key, channel.name)

    def returned(self, message: str, exchange: str, routing_key: str, channel: str) -> None:
        self.counted["returned"] += 1
        self.emit(events.Returned(self.now, message, exchange, routing_key, 312, "NO_ROUTE", "the broker returned it", channel))

    def _cancelled(self, channel: RealChannel, frame: Any) -> None:
        """basic.cancel from the broker."""
        self.arrived += 1
        channel.pika._consumer_infos.gone.add(frame.method.consumer_tag)
        found = channel.subscriptions.pop(frame.method.consumer_tag, None)
        if found is not None:
            found[0].cancelled = True
            self.emit(events.ConsumerCancelled(self.now, found[0].name, found[1].name, "cancelled by the broker"))
            self.outbox.append(ConsumerEnded(found[0].name, channel.name, False, "cancelled by the broker"))

    def shown_text(self, refused: ClosedByBroker) -> str:
        """As if the scenario's own vhost were there: its name, and no terms laid out over several lines for ours is so long."""
        text = refused.text.replace(f"vhost '{self.vhost}'", f"vhost '{self.shown_vhost}'")
        return FOLDED.sub(",", text.replace(f'<<"{self.vhost}">>', f'<<"{self.shown_vhost}">>'))

    def unacked_of(self, queue: EngineQueue) -> list[UnackedDelivery]:
        return unacked_of(self.channels.values(), queue)

    def lost_by_consumer(self, consumer: str, message: str, queue: str, serial: int) -> None:
        self.emit(events.LostByConsumer(self.now, message, queue, serial, consumer))

    def lost_by_worker(self, event: events.TaskLost) -> None:
        self.emit(event._replace(at_ms=self.now))


def closed_by_broker(channel: RealChannel) -> ClosedByBroker:
    """Why a channel is not open any more."""
    reason = getattr(channel.pika, "_closing_reason", None)
    code, text = getattr(reason, "reply_code", 541), getattr(reason, "reply_text", "the channel closed")
    return ClosedByBroker(code, text, connection=code not in CHANNEL_CODES)
