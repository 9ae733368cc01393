"""Tasks that are retried for ever, by all that is said of them: a run that is about nothing else comes to no rest."""

from collections.abc import Iterable, Iterator, Mapping

from routesim.broker import Broker, open_messages
from routesim.clients.worker.worker_state import WorkerState
from routesim.queues import Copy, QueueType
from routesim.values import raw

ENOUGH = 100  # retries of each: what it does is told well enough


class EndlessRetries:
    """`retries` has the tasks that end in nothing but retries, by their ids: how many so far."""

    def __init__(self, retries: Mapping[str, int], workers: Iterable[WorkerState]) -> None:
        self.retries = retries
        self.workers = list(workers)

    def nothing_else(self, broker: Broker) -> str:
        """What the run is about, where nothing is left in queues and with workers but such tasks, each retried often enough; else
        nothing."""
        retries = self.retries
        if not retries or min(retries.values()) < ENOUGH:
            return ""
        # A copy that waits for anything else than a delivery or an answer is none of theirs, or will be seen at the next look.
        found = list(_copies(broker)) if open_messages(broker) <= len(retries) else []
        if len(found) != open_messages(broker) or any(raw(queue.headers(copy).get("id")) not in retries for queue, copy in found):
            return ""
        if any(job.request.id not in retries for state in self.workers for job in state.running.values()):
            return ""
        most = max(retries, key=retries.__getitem__)
        which = f"task {most} is" if len(retries) == 1 else f"{len(retries)} tasks are"
        often = f"{retries[most]} times so far" if len(retries) == 1 else f"{most} {retries[most]} times so far"
        return f"{which} retried for ever, {often}: every run ends in a retry, and max_retries is none"


def _copies(broker: Broker) -> Iterator[tuple[QueueType, Copy]]:
    """What is ready, and what is unacknowledged."""
    for queue in broker.queues.values():
        for copy in queue.ready():
            yield queue, copy
    for channel in broker.channels.values():
        for delivery in channel.unacked.values():
            yield delivery.queue, delivery.copy
