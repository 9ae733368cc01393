"""What can be seen of a run from outside, by whichever engine: what is compared with recordings, and with a live broker."""

from typing import Any

from routesim import steps
from routesim.broker import Broker
from routesim.model import ChannelPlan
from routesim.named_tuples import NamedTuple
from routesim.run.expecting.expectations import unacked
from routesim.run.folds.letters import Letters, letter, seen
from routesim.run.result import Result

DRAIN = "(drain)"


class Observations(NamedTuple):
    """One field a kind of observation; each in the order in which it was seen."""

    ready: dict[str, list[dict[str, Any]]]
    unacked: dict[str, list[dict[str, Any]]]
    deliveries: dict[str, list[dict[str, Any]]]
    gets: list[dict[str, Any]]
    returned: list[str]
    nacked: list[str]
    errors: list[dict[str, Any]]
    tasks: dict[str, dict[str, Any]]


def observed(result: Result, letters: Letters) -> Observations:
    """`letters` heard the run. After it the run is over: a simulated broker's queues have been emptied."""
    held = {name: by_tag(items) for name, items in observe_unacked(result).items()}
    errors = [{"step": item.step, "code": item.code, "text": item.text} for item in result.errors if item.code is not None]
    if result.real is not None:
        queues = result.broker.queues
        ready = {name: [letter(queue, copy, got=True) for copy in queue.ready()] for name, queue in queues.items()}
    else:
        ready = drain(result.broker, cancel=False)
    return Observations(
        ready, held, letters.delivered, letters.got, result.publishers.returned, result.publishers.nacked, errors,
        {} if result.tasks is None else result.tasks.of,
    )  # fmt: skip


def ids(ready: dict[str, list[dict[str, Any]]]) -> list[str]:
    return [item["message"] for items in ready.values() for item in items]


def by_tag(deliveries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(deliveries, key=lambda item: (item["channel"], item["delivery_tag"]))


def drop_none(got: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in got.items() if value is not None or key == "message"}


def observe_unacked(result: Result) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {"message": message, "channel": channel, "delivery_tag": tag}
            for message, _, channel, tag, _ in unacked(result.broker, queue)
        ]
        for name, queue in result.broker.queues.items()
    }


def drain(broker: Broker, *, cancel: bool = True) -> dict[str, list[dict[str, Any]]]:
    """What basic.get gives at the end, once no consumer gets anything more.

    `cancel`: because each has been cancelled, as for the recordings, which hold but some of what is seen; else only where
    basic.get needs that.
    """
    show = seen if cancel else letter
    broker.listen = None
    for queue in list(broker.queues.values()):
        for subscription in queue.subscriptions.values():
            subscription.prefetch, subscription.credit = 1, -1_000_000
        if cancel or (queue.settings.single_active_consumer and not queue.shares_single_active):
            for channel, tag in list(queue.subscriptions):
                broker.apply(steps.Cancel(channel, tag))
    found: dict[str, list[dict[str, Any]]] = {}
    for name, queue in list(broker.queues.items()):
        found[name] = []
        single = queue.settings.single_active_consumer and not queue.shares_single_active
        if (queue.keeps_log or single) and not cancel:  # read by a consumer: basic.get is refused
            kept = [copy for copy in queue.ready() if copy.expires_at is None or copy.expires_at > broker.now]
            found[name] = [show(queue, copy, got=False) for copy in kept]  # what has expired goes when it comes to the head
            continue
        channel = DRAIN
        if queue.owner is not None and not cancel:  # who else may look
            channel = f"{DRAIN} {queue.owner}"
            broker.channel_plans[channel] = ChannelPlan(channel, queue.owner)
        while name in broker.queues:
            held = broker.channel(channel).unacked
            before = len(held)
            if broker.apply(steps.Get(channel, name)) is not None or len(broker.channel(channel).unacked) == before:
                break
            found[name].append(show(queue, next(reversed(held.values())).copy, got=True))
    return found
