"""A real RabbitMQ that carries out the same steps as the embedded broker, and tells what its clients get to know.

What goes on inside (enqueued, dead-lettered, dropped, expired) no client is told; no event says it.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import pika
import pika.exceptions
import pika.spec

from routesim import events, steps
from routesim.broker import ConsumerEnded, StepFailure
from routesim.broker.protocols import EngineQueue, UnackedDelivery
from routesim.events import Event
from routesim.model import ChannelPlan, Consumer
from routesim.queues import Copy, Delivery, Subscription, TxAnswer, unacked_of
from routesim.rabbitmq.connections import ClosedByBroker, Connections
from routesim.rabbitmq.management import Management
from routesim.rabbitmq.management import ManagementError as HttpRefusal
from routesim.rabbitmq.observed import ObservedQueue, RealChannel
from routesim.rabbitmq.pace import Pace
from routesim.rabbitmq.problems import NotOnARealBroker
from routesim.rabbitmq.wire import body_of, content_of, properties_of
from routesim.replies import CHANNEL_CODES, CLOSED_BY_CLIENT, REPLY_SUCCESS
from routesim.values import is_integer, raw
from routesim.versions import Rules

UNKNOWN = -1  # in how many queues a confirmed message is, a broker does not say
REAL_TIME = Pace()
ROUNDS, ROUNDS_OF_A_LOG = 3, 10  # what goes through a replicated log takes its time, also to dead-letter
PAUSE_S = 0.002
LATE_S = 0.02  # how late a timer of the broker may be at the end of a wait


class NoSuchDelivery(Exception):
    """The step names a delivery that is not there; nothing was sent to the broker."""


class RealBroker:
    """`apply` a step, `wait` for real; what happens goes to `listen`, what consumers must react to into `outbox`.

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
        self.outbox: deque[Delivery[ObservedQueue] | ConsumerEnded] = deque()
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

    # Steps -------------------------------------------------------------------------------------------------------------

    def apply(self, step: steps.Step) -> ClosedByBroker | None:
        """Carry out one step. A refusal closes the channel or connection, is noted in `failures` and returned."""
        name = step.consumer.channel if isinstance(step, steps.Consume) else getattr(step, "channel", None)
        try:
            _HANDLERS[type(step)](self, step)
        except ClosedByBroker as refused:
            self._refused(name, refused)
            return refused
        except HttpRefusal as refused:
            self.failures.append(StepFailure(self.now, 400, f"BAD_REQUEST - {refused.text}"))
            return ClosedByBroker(400, refused.text, connection=False)
        except NoSuchDelivery as problem:
            self.failures.append(StepFailure(self.now, None, str(problem)))
        return None

    def line(self, name: str) -> RealChannel:
        """The open channel of that name; opened now when it is not."""
        found = self.channels.get(name)
        if found is not None:
            return found
        plan = self.plans.get(name) or ChannelPlan(name, name)
        connection = self.connections.connection(plan.connection)
        channel = self.connections.do(connection.channel)
        self.numbers += 1
        line = RealChannel(name, plan.connection, channel.channel_number, channel, confirms=plan.confirms)
        self.channels[name] = line
        channel.add_on_cancel_callback(partial(self._cancelled, line))
        if plan.confirms:
            self.connections.do(channel.confirm_delivery)
        else:
            channel.add_on_return_callback(partial(self._returned_later, line))
        if plan.prefetch:
            self.connections.do(channel.basic_qos, prefetch_count=plan.prefetch, global_qos=True)
        return line

    def _call(self, line: RealChannel, method: str, *arguments: Any, **named: Any) -> Any:
        return self.connections.do(getattr(line.pika, method), *arguments, **named)

    def _flush(self, line: RealChannel) -> None:
        """Wait until the channel has dealt with everything sent before, and hear whether it has closed."""
        self._call(line, "flow", True)

    def _tell(self, event: Event) -> None:
        if self.listen:
            self.listen(event)

    # Topology ------------------------------------------------------------------------------------------------------------

    def _declare_exchange(self, step: steps.DeclareExchange) -> None:
        item = step.exchange
        self._call(
            self.line(step.channel), "exchange_declare", item.name, item.type, durable=item.durable,
            auto_delete=item.auto_delete, internal=item.internal, arguments=item.arguments,
        )  # fmt: skip
        self._tell(events.ExchangeDeclared(self.now, item.name, item.type))

    def _declare_queue(self, step: steps.DeclareQueue) -> None:
        item = self.pace.queue(step.queue)
        known = self.queues.get(item.name)
        wire_name = "" if item.server_named and known is None else known.broker_name if known else item.name
        line = self.line(step.channel)
        answer = self._call(
            line, "queue_declare", wire_name, durable=item.durable, exclusive=item.exclusive, auto_delete=item.auto_delete,
            arguments=item.arguments,
        )  # fmt: skip
        owner = line.connection if item.exclusive else None
        if known is None:
            known = self.queues[item.name] = ObservedQueue(
                item.name, answer.method.queue, item.arguments, owner=owner, auto_delete=item.auto_delete
            )
        self._tell(events.QueueDeclared(self.now, item.name, known.kind, known.broker_name))

    def _bind(self, step: steps.Bind | steps.Unbind) -> None:
        item, line = step.binding, self.line(step.channel)
        verb = "bind" if isinstance(step, steps.Bind) else "unbind"
        target = self._wire_name(item.destination) if item.destination_type == "queue" else item.destination
        if item.destination_type == "queue":
            named = {"queue": target, "exchange": item.source}
        else:
            named = {"destination": target, "source": item.source}
        self._call(line, f"{item.destination_type}_{verb}", **named, routing_key=item.routing_key, arguments=item.arguments)
        self._tell(events.Bound(self.now, item) if isinstance(step, steps.Bind) else events.Unbound(self.now, item, "unbound"))

    def _wire_name(self, queue: str) -> str:
        known = self.queues.get(queue)
        return known.broker_name if known else queue

    def _delete_exchange(self, step: steps.DeleteExchange) -> None:
        self._call(self.line(step.channel), "exchange_delete", step.exchange, if_unused=step.if_unused)
        self._tell(events.ExchangeDeleted(self.now, step.exchange, "deleted"))

    def _delete_queue(self, step: steps.DeleteQueue) -> None:
        answer = self._call(
            self.line(step.channel), "queue_delete", self._wire_name(step.queue), if_unused=step.if_unused,
            if_empty=step.if_empty,
        )  # fmt: skip
        if self.queues.pop(step.queue, None) is not None:
            self._tell(events.QueueDeleted(self.now, step.queue, "deleted", answer.method.message_count))

    def _purge(self, step: steps.Purge) -> None:
        answer = self._call(self.line(step.channel), "queue_purge", self._wire_name(step.queue))
        self._tell(events.QueuePurged(self.now, step.queue, answer.method.message_count))

    def _set_policy(self, step: steps.SetPolicy) -> None:
        self.management.set_policy(self.vhost, self.pace.policy(step.policy))
        self._tell(events.PolicySet(self.now, step.policy.name, step.policy.operator))

    def _delete_policy(self, step: steps.DeletePolicy) -> None:
        self.management.delete_policy(self.vhost, step.name, operator=step.operator)
        self._tell(events.PolicyDeleted(self.now, step.name, step.operator))

    # Publishing ----------------------------------------------------------------------------------------------------------

    def _publish(self, step: steps.Publish) -> None:
        message, line = step.message, self.line(step.channel)
        properties = properties_of(message, step.id, self.pace)
        self.ids[properties.message_id] = step.id
        self.counted["published"] += 1
        self._tell(events.Published(self.now, step.id, message.exchange, message.routing_key, step.channel))
        if line.answered is not None:
            line.pending.append(step.id)
            self._tell(events.Uncommitted(self.now, step.id, step.channel))
        try:
            self._call(
                line, "basic_publish", message.exchange, message.routing_key, body_of(message), properties, message.mandatory
            )
            if not line.confirms:
                self._flush(line)
        except pika.exceptions.UnroutableError:
            self._returned(step.id, message.exchange, message.routing_key)
        except pika.exceptions.NackError:
            self.counted["refused"] += 1
            self._tell(events.Confirmed(self.now, step.id, "nack", UNKNOWN))
            return
        except ClosedByBroker as refused:
            self.counted["failed"] += 1
            if step.id in line.pending:
                line.pending.remove(step.id)
            self._tell(events.Unpublished(self.now, step.id, self._text(refused)))
            raise
        if line.confirms:
            self._tell(events.Confirmed(self.now, step.id, "ack", UNKNOWN))

    def _returned(self, message: str, exchange: str, routing_key: str) -> None:
        self.counted["returned"] += 1
        self._tell(events.Returned(self.now, message, exchange, routing_key, 312, "NO_ROUTE", "the broker returned it"))

    def _returned_later(self, line: RealChannel, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self.arrived += 1
        message = self.ids.get(properties.message_id, str(properties.message_id))
        self._returned(message, method.exchange, method.routing_key)

    def _tx(self, step: steps.Tx) -> None:
        line = self.line(step.channel)
        self._call(line, f"tx_{step.do}")
        answers = sum(len(answer.deliveries) for answer in line.answered or ())
        self._tell(events.Transaction(self.now, step.channel, step.do, len(line.pending), answers))
        if step.do == "rollback":
            for message in line.pending:
                self._tell(events.Unpublished(self.now, message, "rolled back"))
            line.unacked = {item.tag: item for item in sorted(line.outstanding(), key=lambda item: item.tag)}
        line.pending, line.answered = [], []

    # Consuming -----------------------------------------------------------------------------------------------------------

    def _consume(self, step: steps.Consume) -> None:
        consumer = step.consumer
        line = self.line(consumer.channel)
        if consumer.prefetch is not None:
            self._call(line, "basic_qos", prefetch_count=consumer.prefetch)
        queue = self.queues.get(consumer.queue) or ObservedQueue(consumer.queue, consumer.queue, {}, owner=None)
        subscription = Subscription(
            consumer.name, consumer.name, line, self.numbers, prefetch=consumer.prefetch or 0,
            priority=_priority(consumer), auto_ack=consumer.auto_ack, exclusive=consumer.exclusive, arguments=consumer.arguments,
        )  # fmt: skip
        if consumer.name in line.subscriptions:  # the library would refuse; what the broker says is asked for
            again = pika.spec.Basic.Consume(queue=queue.broker_name, consumer_tag=consumer.name, no_ack=consumer.auto_ack)
            line.pika._impl._send_method(again)
            self._flush(line)
            return
        self._call(
            line, "basic_consume", queue.broker_name, partial(self._delivered, line, subscription, queue),
            auto_ack=consumer.auto_ack, exclusive=consumer.exclusive, consumer_tag=consumer.name, arguments=consumer.arguments,
        )  # fmt: skip
        line.subscriptions[consumer.name] = (subscription, queue)
        self._tell(events.ConsumerStarted(self.now, consumer.name, queue.name, line.name))

    def _cancel(self, step: steps.Cancel) -> None:
        line = self.line(step.channel)
        self.connections.poll()
        self._call(line, "basic_cancel", step.consumer)
        found = line.subscriptions.pop(step.consumer, None)
        if found is not None:
            self._tell(events.ConsumerCancelled(self.now, step.consumer, found[1].name, "cancelled"))
            self.outbox.append(ConsumerEnded(step.consumer, line.name, False, "cancelled"))
            self._unused(found[1])

    def _cancelled(self, line: RealChannel, frame: Any) -> None:
        """basic.cancel from the broker."""
        self.arrived += 1
        found = line.subscriptions.pop(frame.method.consumer_tag, None)
        if found is not None:
            self._tell(events.ConsumerCancelled(self.now, found[0].name, found[1].name, "cancelled by the broker"))
            self.outbox.append(ConsumerEnded(found[0].name, line.name, False, "cancelled by the broker"))

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

    def _delivered(
        self,
        line: RealChannel,
        subscription: Subscription,
        queue: ObservedQueue,
        _: Any,
        method: Any,
        properties: Any,
        body: bytes,
    ) -> None:
        self.arrived += 1
        copy = self.copy_of(queue, method.exchange, method.routing_key, method.redelivered, properties, body)
        delivery = Delivery(method.delivery_tag, queue, subscription, copy, self.now, subscription.auto_ack)
        if not subscription.auto_ack:
            line.unacked[delivery.tag] = delivery
        self.counted["delivered"] += 1
        self.counted["redelivered"] += copy.redelivered
        self.counted["acked"] += subscription.auto_ack
        self._tell(
            events.Delivered(
                self.now, copy.message, queue.name, copy.serial, subscription.name, line.name, delivery.tag, copy.redelivered,
                subscription.auto_ack,
            )
        )  # fmt: skip
        self.outbox.append(delivery)

    def _get(self, step: steps.Get) -> None:
        line = self.line(step.channel)
        queue = self.queues.get(step.queue) or ObservedQueue(step.queue, step.queue, {}, owner=None)
        method, properties, body = self._call(line, "basic_get", queue.broker_name, auto_ack=step.auto_ack)
        if method is None:
            self._tell(events.Got(self.now, None, queue.name, None, line.name, None, None, step.auto_ack))
            return
        copy = self.copy_of(queue, method.exchange, method.routing_key, method.redelivered, properties, body)
        if not step.auto_ack:
            line.unacked[method.delivery_tag] = Delivery(method.delivery_tag, queue, None, copy, self.now, False)
        self._tell(
            events.Got(
                self.now, copy.message, queue.name, copy.serial, line.name, method.delivery_tag, copy.redelivered, step.auto_ack
            )
        )

    def _qos(self, step: steps.Qos) -> None:
        self._call(self.line(step.channel), "basic_qos", prefetch_count=step.prefetch, global_qos=step.whole_channel)
        self._tell(events.QosSet(self.now, step.channel, step.prefetch, step.whole_channel))

    # Answering -----------------------------------------------------------------------------------------------------------

    def _answer(self, step: steps.Ack | steps.Nack | steps.Reject) -> None:
        line = self.line(step.channel)
        tag, multiple = step.delivery_tag, getattr(step, "multiple", False)
        if step.message is not None:
            tag = next((item.tag for item in reversed(line.unacked.values()) if item.copy.message == step.message), 0)
            if not tag:
                raise NoSuchDelivery(f"channel '{line.name}' holds no open delivery of {step.message}")
        if isinstance(step, steps.Ack):
            self._call(line, "basic_ack", tag, multiple)
        elif isinstance(step, steps.Nack):
            self._call(line, "basic_nack", tag, multiple, step.requeue)
        else:
            self._call(line, "basic_reject", tag, step.requeue)
        self._flush(line)
        meant = [each for each in line.unacked if each == tag or (multiple and (tag == 0 or each <= tag))]
        settled = [line.unacked.pop(each) for each in meant]
        if line.answered is not None:
            line.answered.append(TxAnswer("", "", settled))  # what a rollback gives back
        for item in settled:
            by = item.subscription.name if item.subscription else line.name
            where = (self.now, item.copy.message, item.queue.name, item.copy.serial, by)
            if isinstance(step, steps.Ack):
                self.counted["acked"] += 1
                self._tell(events.Acked(*where, item.tag))
            elif step.requeue:
                self._tell(events.Requeued(*where, "nack" if isinstance(step, steps.Nack) else "reject"))
            else:
                self._tell(events.Rejected(*where, item.tag))

    def _recover(self, step: steps.Recover) -> None:
        line = self.line(step.channel)
        held = list(line.unacked.values())
        line.unacked = {}
        try:
            self._call(line, "basic_recover", requeue=step.requeue)
        except ClosedByBroker:
            line.unacked = {item.tag: item for item in held}
            raise
        self._given_back(line, held, "recover")

    def _given_back(self, line: RealChannel, held: list[Delivery[ObservedQueue]], why: str) -> None:
        for item in held:
            by = item.subscription.name if item.subscription else line.name
            self._tell(events.Requeued(self.now, item.copy.message, item.queue.name, item.copy.serial, by, why))

    # Endings -------------------------------------------------------------------------------------------------------------

    def _crash(self, step: steps.Crash) -> None:
        self._tell(events.ConnectionLost(self.now, step.connection, self._channels_of(step.connection)))
        self.connections.close(step.connection)
        self._connection_gone(step.connection, "connection lost")

    def _close(self, step: steps.Close) -> None:
        names = self._channels_of(step.connection)
        if names:
            self._tell(events.ConnectionClosed(self.now, step.connection, REPLY_SUCCESS, CLOSED_BY_CLIENT, names))
        self.connections.close(step.connection)
        self._connection_gone(step.connection, CLOSED_BY_CLIENT)

    def _restart(self, step: steps.Restart) -> None:
        raise NotOnARealBroker("a broker that others use is not restarted")

    def _text(self, refused: ClosedByBroker) -> str:
        return refused.text.replace(f"vhost '{self.vhost}'", f"vhost '{self.shown_vhost}'")

    def _refused(self, name: str | None, refused: ClosedByBroker) -> None:
        text = self._text(refused)
        self.failures.append(StepFailure(self.now, refused.code, text))
        line = self.channels.get(name) if name is not None else None
        if line is None:
            return
        if refused.connection or refused.code not in CHANNEL_CODES:
            names = self._channels_of(line.connection)
            self._tell(events.ConnectionClosed(self.now, line.connection, refused.code, text, names))
            self.connections.forget(line.connection)
            self._connection_gone(line.connection, "connection closed")
        else:
            self._tell(events.ChannelClosed(self.now, line.name, refused.code, text))
            self._line_gone(line, "channel closed")

    def _channels_of(self, connection: str) -> tuple[str, ...]:
        return tuple(line.name for line in self.channels.values() if line.connection == connection)

    def _connection_gone(self, connection: str, why: str) -> None:
        for line in [item for item in self.channels.values() if item.connection == connection]:
            self._line_gone(line, why)
        for queue in [item for item in self.queues.values() if item.owner == connection]:
            del self.queues[queue.name]
            self._tell(events.QueueDeleted(self.now, queue.name, f"exclusive: its connection {connection} is gone", 0))

    def _line_gone(self, line: RealChannel, why: str) -> None:
        del self.channels[line.name]
        for message in line.pending:
            self._tell(events.Unpublished(self.now, message, "rolled back"))
        for subscription, queue in line.subscriptions.values():
            self._tell(events.ConsumerCancelled(self.now, subscription.name, queue.name, why))
            self.outbox.append(ConsumerEnded(subscription.name, line.name, True, why))
            self._unused(queue)
        self._given_back(line, sorted(line.outstanding(), key=lambda item: item.tag), why)
        line.unacked, line.answered = {}, None

    def _unused(self, queue: ObservedQueue) -> None:
        """A consumer has gone: with the last one goes an auto-delete queue, of which no client is told (rules/queues#1.5)."""
        used = any(other is queue for line in self.channels.values() for _, other in line.subscriptions.values())
        if queue.auto_delete and not used and self.queues.get(queue.name) is queue:
            del self.queues[queue.name]

    def unacked_of(self, queue: EngineQueue) -> list[UnackedDelivery]:
        return unacked_of(self.channels.values(), queue)

    def lost_by_consumer(self, consumer: str, message: str, queue: str, serial: int) -> None:
        self._tell(events.LostByConsumer(self.now, message, queue, serial, consumer))

    # Rest ----------------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Until the broker is at rest: several rounds through every channel in a row bring nothing new."""
        quiet, rounds = 0, ROUNDS_OF_A_LOG if any(queue.type.replicated for queue in self.queues.values()) else ROUNDS
        while quiet < rounds:
            before = self.arrived
            for line in list(self.channels.values()):
                try:
                    if line.pika.is_open:
                        self._flush(line)
                    elif line.name in self.channels:
                        raise _closed(line)
                except ClosedByBroker as refused:
                    self._refused(line.name, refused)
                    self.arrived += 1
            self.connections.poll(PAUSE_S)
            quiet = quiet + 1 if self.arrived == before else 0

    def wait(self, until_ms: int) -> None:
        """Until that time, or until something has come that consumers must react to."""
        until = self.began + until_ms / 1000 / self.pace.speed
        while not self.outbox:
            rest = until - time.monotonic()
            if rest <= 0:
                return
            try:
                self.connections.poll(min(rest, 0.01))
            except ClosedByBroker:
                self.settle()
            if any(not line.pika.is_open for line in self.channels.values()):
                self.settle()

    def lateness_ms(self) -> int:
        return int(LATE_S * 1000 * self.pace.speed) + 1


def _closed(line: RealChannel) -> ClosedByBroker:
    reason = getattr(line.pika, "_closing_reason", None)
    code, text = getattr(reason, "reply_code", 541), getattr(reason, "reply_text", "the channel closed")
    return ClosedByBroker(code, text, connection=code not in CHANNEL_CODES)


def _priority(consumer: Consumer) -> int:
    value = consumer.arguments.get("x-priority", 0)
    return int(raw(value)) if is_integer(value) else 0


_HANDLERS: dict[type, Callable[[RealBroker, Any], None]] = {
    steps.Publish: RealBroker._publish,
    steps.Get: RealBroker._get,
    steps.Ack: RealBroker._answer,
    steps.Nack: RealBroker._answer,
    steps.Reject: RealBroker._answer,
    steps.Recover: RealBroker._recover,
    steps.Qos: RealBroker._qos,
    steps.Tx: RealBroker._tx,
    steps.Consume: RealBroker._consume,
    steps.Cancel: RealBroker._cancel,
    steps.Crash: RealBroker._crash,
    steps.Close: RealBroker._close,
    steps.Restart: RealBroker._restart,
    steps.DeclareExchange: RealBroker._declare_exchange,
    steps.DeclareQueue: RealBroker._declare_queue,
    steps.Bind: RealBroker._bind,
    steps.Unbind: RealBroker._bind,
    steps.DeleteExchange: RealBroker._delete_exchange,
    steps.DeleteQueue: RealBroker._delete_queue,
    steps.Purge: RealBroker._purge,
    steps.SetPolicy: RealBroker._set_policy,
    steps.DeletePolicy: RealBroker._delete_policy,
}
