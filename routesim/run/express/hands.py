"""What a consumer has in hand, taken from it and given back as a whole."""

from collections.abc import Iterable, Sequence
from typing import Any

from routesim.clients.scripted_consumer import ConsumerJob, ScriptedConsumer
from routesim.queues import Delivery, Subscription


class Hands:
    """Of one subscription. `tags`: of what it is working on, and of what waits for that."""

    def __init__(self, state: ScriptedConsumer, subscription: Subscription) -> None:
        self.state = state
        self.subscription = subscription
        self.channel = subscription.channel
        self.tags = [job.delivery.tag for job in state.jobs.values()] + [delivery.tag for delivery, *_ in state.waiting]

    def is_whole(self) -> bool:
        """Whether it has all in hand from this subscription, and nothing has been taken from it."""
        unacked, own = self.channel.unacked, self.subscription
        return all(tag in unacked and unacked[tag].subscription is own for tag in self.tags)

    def put(self, jobs: Iterable[ConsumerJob], waiting: Sequence[tuple[Delivery[Any], int, int]]) -> None:
        """This in place of what it had."""
        state, unacked = self.state, self.channel.unacked
        for tag in self.tags:
            del unacked[tag]
        state.jobs = {job.number: job for job in sorted(jobs, key=lambda job: job.number)}
        state.waiting.clear()
        state.waiting.extend(waiting)
        in_hand = [job.delivery for job in state.jobs.values()] + [delivery for delivery, *_ in waiting]
        self.channel.hold([*unacked.values(), *in_hand])
