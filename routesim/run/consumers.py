"""The consumers of a run: what they do is carried out, what takes time is put on the agenda."""

from routesim.broker import ChannelEnded, ConsumerEnded
from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer, asks_for_rounds
from routesim.queues import DeliveringQueue, Delivery
from routesim.run.agenda import ConsumerReturns
from routesim.run.clock import Clock
from routesim.run.folds.fold import Listener
from routesim.run.tasks.sent import tell_of_task
from routesim.scenario import Scenario


class Consumers:
    """`listen` hears of the tasks that they call; what else happens the broker tells."""

    def __init__(
        self, scenario: Scenario, clock: Clock, seed: int, published: dict[str, int], listen: Listener | None = None
    ) -> None:  # fmt: skip
        self.clock = clock
        self.listen = listen if scenario.workers else None
        self.broker = clock.broker
        rounds = any(asks_for_rounds(consumer) for consumer in scenario.consumers.values())
        origins: dict[str, str] | None = {} if rounds else None
        self.by_name = {
            name: ScriptedConsumer(
                consumer, _connection(scenario, consumer.channel), f"{name} (publish)", seed, number, published, origins
            )
            for number, (name, consumer) in enumerate(scenario.consumers.items())
        }
        self.by_channel: dict[str, list[ScriptedConsumer]] = {}
        for scripted in self.by_name.values():
            self.by_channel.setdefault(scripted.consumer.channel, []).append(scripted)

    def react(self, received: Delivery[DeliveringQueue] | ConsumerEnded | ChannelEnded) -> None:
        """The consumer that this is for does what it does at once. One that has ended goes on with what it has in hand, as long
        as its channel is there."""
        if not isinstance(received, Delivery):
            if isinstance(received, ChannelEnded):
                self._channel_ended(received.channel)
            return
        consumer = self.by_name.get(received.subscription.name) if received.subscription else None
        if consumer is not None:
            self._begin(consumer.receive(received))

    def end(self, job: ConsumerJob) -> None:
        """A job's time is over."""
        if job.is_due_still():
            self._begin(self._finish(job))

    def _begin(self, begun: list[ConsumerJob]) -> None:
        """Jobs that take no time are finished at once, and so are those that can begin then."""
        for job in begun:
            takes = job.takes
            if takes:
                self.clock.agenda.schedule(self.clock.now() + takes, job)
            else:
                begun.extend(self._finish(job))

    def _finish(self, job: ConsumerJob) -> list[ConsumerJob]:
        """The job's answer is sent; returns the jobs that begin with the hand that is free now."""
        consumer, rule = job.consumer, job.rule
        for step in consumer.finish(job):
            if self.listen is not None:
                tell_of_task(self.listen, self.clock.now(), step)
            self.broker.apply(step)
            self.clock.answered(step)
        if rule.do == "crash" and rule.restart is not None:
            self.clock.agenda.schedule(self.clock.now() + rule.restart, ConsumerReturns(consumer))
        return consumer.begin() if consumer.waiting else []

    def _channel_ended(self, channel: str) -> None:
        """Nobody who consumed by it can answer any more, whether its consumer was cancelled before or not."""
        for consumer in self.by_channel.get(channel, ()):
            self._lost(consumer)

    def _lost(self, consumer: ScriptedConsumer) -> None:
        if consumer.jobs:
            self.clock.agenda.jobs_lost()
        name = consumer.consumer.name
        for delivery in consumer.channel_lost():
            self.broker.lost_by_consumer(name, delivery.copy.message, delivery.queue.name, delivery.copy.serial)


def _connection(scenario: Scenario, channel: str) -> str:
    plan = scenario.channels.get(channel)
    return plan.connection if plan else channel
