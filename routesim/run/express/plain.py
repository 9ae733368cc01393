"""What is plain at the moment: publishes, queues and consumers that may go the fast way."""

from math import prod

from routesim.broker import RabbitBroker
from routesim.clients.scripted_consumer import ScriptedConsumer
from routesim.model import DEFAULT_EXCHANGE
from routesim.queues import LinedQueue, QueueType, Subscription
from routesim.run.batches import SILENT
from routesim.run.express.emitting import Emits
from routesim.run.express.prepared import AckingConsumer, PlainQueue, PreparedPublish
from routesim.run.express.treatments import answers_at_once
from routesim.scenario import PublishMany

WAYS_TO_PREPARE = 64  # of one publish, by the consumers that are sent it


class Plain:
    """What was found out since the last `clear`; None for what is not plain. `queues` by identity; `consumers` are all of the
    run, `acking` the plain ones."""

    def __init__(self, broker: RabbitBroker, consumers: dict[str, ScriptedConsumer], emits: Emits) -> None:
        self.broker = broker
        self.consumers = consumers
        self.emits = emits
        self._publishes: dict[int, PreparedPublish | None] = {}
        self.queues: dict[int, PlainQueue | None] = {}
        self.acking: dict[ScriptedConsumer, AckingConsumer | None] = {}

    def clear(self) -> None:
        """Something else has happened: what was plain need not be."""
        self._publishes.clear()
        self.queues.clear()
        self.acking.clear()

    def publish(self, action: PublishMany) -> PreparedPublish | None:
        key = id(action)
        if key not in self._publishes:
            self._publishes[key] = self._new_publish(action)
        return self._publishes[key]

    def consumer(self, consumer: ScriptedConsumer) -> AckingConsumer | None:
        """Plain is a consumer if all of its queue is."""
        if consumer not in self.acking:
            self.acking[consumer] = None
            queue = self.broker.queues.get(consumer.consumer.queue)
            plain = self._queue(queue) if queue is not None else None
            for acking in plain.consumers.values() if plain is not None else ():
                self.acking[acking.state] = acking
        return self.acking[consumer]

    def _new_publish(self, action: PublishMany) -> PreparedPublish | None:
        """None until the step has published in the ordinary way, which makes the checks and finds the route."""
        broker, message = self.broker, action.message
        known = broker.contents.get(id(message))
        channel = broker.channels.get(action.channel)
        if known is None or known[0] is not message or channel is None or channel.answered is not None:
            return None
        content = known[1]
        found = broker.routes.get((message.exchange, content.keys))
        if found is None or not found.queues:
            return None
        if message.exchange == DEFAULT_EXCHANGE:
            if broker.reply_channels:
                return None
        elif broker.exchange(message.exchange).declared.internal:
            return None
        queues = [self._queue(queue) for queue, _ in found.queues]
        plain = tuple(queue for queue in queues if queue is not None)
        if len(plain) < len(queues):
            return None
        if not all(queue.queue.is_plain_for(content) and queue.queue.knows_publisher(channel) for queue in plain):
            return None
        if content.ttl_ms is not None and not all(queue.instant or queue.full_hands for queue in plain):
            return None
        if len(plain) > 1 and any(queue.by_rules or queue.full_hands or queue.limit is not None for queue in plain):
            return None
        if self.emits.listener is not None and prod(len(queue.consumers) + 1 for queue in plain) > WAYS_TO_PREPARE:
            return None
        return PreparedPublish(content, channel, plain, tuple(path for _, path in found.queues), {})

    def _queue(self, queue: QueueType) -> PlainQueue | None:
        key = id(queue)
        if key not in self.queues:
            self.queues[key] = self._new_queue(queue)
        return self.queues[key]

    def _new_queue(self, queue: QueueType) -> PlainQueue | None:
        if not isinstance(queue, LinedQueue) or not queue.is_plain():
            return None
        plain = PlainQueue(queue, queue.line(), {})
        if len(queue.subscriptions) == 1:
            by_rules = self._by_rules(plain, next(iter(queue.subscriptions.values())))
            if by_rules is not None:
                return plain._replace(consumers={id(by_rules.subscription): by_rules}, instant=by_rules, by_rules=True)
        for subscription in queue.subscriptions.values():
            acking = self._new_consumer(plain, subscription)
            if acking is None:
                return _only_publishes(plain)
            plain.consumers[id(subscription)] = acking
        if len({acking.takes > 0 for acking in plain.consumers.values()}) > 1:
            return _only_publishes(plain)
        only = next(iter(plain.consumers.values())) if len(plain.consumers) == 1 else None
        if only is not None and not only.takes and only.subscription.credit > 0 and queue.turns:
            return plain._replace(instant=only)
        if queue.keeps_plainly():
            return plain
        limits = queue.settings
        if plain.consumers or not queue.keeps_so_many_plainly() or limits.dead_letter_exchange is not None:
            return _only_publishes(plain)
        return plain._replace(limit=limits.max_length)

    def _by_rules(self, plain: PlainQueue, subscription: Subscription) -> AckingConsumer | None:
        """The consumer, if it is not plain, but whatever it does is to answer at once."""
        state, queue = self.consumers.get(subscription.name), plain.queue
        if state is None or state.is_plain() or state.origins is not None or not answers_at_once(state.consumer):
            return None
        idle = not (state.jobs or state.waiting) and queue.turns and subscription.credit > 0
        if not idle or not self.is_served_plainly(queue, subscription):
            return None
        rule = state.consumer.on_message[0]
        return AckingConsumer(plain, subscription, subscription.channel, state, 1, rule, 0, SILENT, SILENT, SILENT, None)

    def is_served_plainly(self, queue: LinedQueue, subscription: Subscription) -> bool:
        channel, state = subscription.channel, self.consumers[subscription.name]
        if subscription.auto_ack or not channel.is_plain() or state.consumer.channel != channel.name:
            return False
        return channel.timeout_armed or not (self.broker.every_channel_times_out or queue.times_out_each)

    def _new_consumer(self, plain: PlainQueue, subscription: Subscription) -> AckingConsumer | None:
        channel, state = subscription.channel, self.consumers.get(subscription.name)
        if state is None or not state.is_plain() or not self.is_served_plainly(plain.queue, subscription):
            return None
        consumer, rule = state.consumer, state.consumer.on_message[0]
        takes = consumer.takes if rule.takes is None else rule.takes
        if not takes and (state.jobs or state.waiting):
            return None
        emits = self.emits.of_consumer(plain.queue, subscription) if takes else (SILENT, SILENT, SILENT, None)
        return AckingConsumer(plain, subscription, channel, state, consumer.concurrency, rule, takes, *emits)


def _only_publishes(plain: PlainQueue) -> PlainQueue | None:
    """What is published to a queue just waits, whatever its consumers are, as long as none of them may be sent more."""
    queue = plain.queue
    if not queue.count or any(subscription.credit > 0 for subscription in queue.subscriptions.values()):
        return None
    return plain._replace(consumers={}, full_hands=True)
