"""An app as one that sends: what becomes of one call, whoever makes it — a caller or a task in a worker (celery/app/base.py:
send_task)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from routesim.celery.canvas.calling import TaskCall
from routesim.celery.canvas.signatures import as_json
from routesim.celery.epoch import EPOCH, ms_of
from routesim.celery.messages import Call, Embedded, Publish, task, task_sent
from routesim.celery.queues import Queues, TaskQueue
from routesim.celery.routes import Options, Routes, TaskDestination, routed, routes_of, target
from routesim.celery.settings import CelerySettings
from routesim.model import Exchange, Queue
from routesim.named_tuples import NamedTuple

ROUTING = ("queue", "exchange", "routing_key", "priority", "delivery_mode")


class Sender(NamedTuple):
    """`tasks`: the options that each task brings to every call of it, spelled as Celery spells them, times in seconds; `others`:
    those of tasks that it does not know."""

    settings: CelerySettings
    queues: Queues
    routes: Routes
    tasks: Mapping[str, Options]
    others: Options = {}


class Parent(NamedTuple):
    """The task in whose body a call is made."""

    id: str
    root_id: str
    priority: int | None


class SentTask(NamedTuple):
    """`publish` is the message, `event` what tells a monitor of it, `declares` the queue that is declared before."""

    publish: Publish
    event: Publish | None
    to: TaskDestination
    ignore_result: bool

    @property
    def declares(self) -> TaskQueue | None:
        return self.to.declares


def sender_of(settings: Mapping[str, Any], tasks: Mapping[str, Options]) -> Sender:
    own = CelerySettings(settings)
    return Sender(own, Queues(own), routes_of(own["task_routes"]), tasks)


def send(
    sender: Sender, call: TaskCall, id: str, *, by: str, reply_to: str, now: int, parent: Parent | None = None,
    epoch: datetime = EPOCH,
) -> SentTask:  # fmt: skip
    """One call as what is published at the instant `now` (ms). Raises `QueueNotFound`, and `ValueError` for a time that is none
    or a countdown that native delayed delivery cannot hold."""
    settings = sender.settings
    options = {
        **sender.tasks.get(call.task, sender.others),
        **{key: value for key, value in call.options.items() if value is not None},
    }
    eta, expires = _instant(options, "countdown", "eta", now, epoch), _instant(options, "expires", "expires", now, epoch)
    inherits = parent is not None and settings["task_inherit_parent_priority"]
    routing = {key: options[key] for key in ROUTING if options.get(key) is not None}
    inherited = parent.priority if parent is not None and inherits else None
    merged = routed(call.task, routing, sender.routes, sender.queues, settings, inherited)
    to = target(merged, None if eta is None else (eta - now) / 1000, sender.queues, settings)
    ignores = bool(options.get("ignore_result", settings["task_ignore_result"]))
    made = Call(
        call.task, id, by, str(options.get("reply_to", reply_to)), call.args, call.kwargs, eta, expires,
        options.get("time_limit"), options.get("soft_time_limit"), ignores,
        options.get("root_id") or (parent.root_id if parent else None),
        options.get("parent_id") or (parent.id if parent else None), options.get("group_id"), options.get("group_index"),
        follows_of(options),
    )  # fmt: skip
    publish = task(made, to.exchange, to.routing_key, priority=to.priority, delivery_mode=to.delivery_mode, sent_ms=now)
    publish["headers"] |= options.get("headers") or {}
    event = None
    if settings["task_send_sent_event"]:
        event = task_sent(
            made, settings["event_exchange"], queue=to.queue.name if to.queue and not to.delayed else None,
            exchange=to.exchange, routing_key=to.routing_key, sent_ms=now,
        )  # fmt: skip
    return SentTask(publish, event, to, ignores)


def follows_of(options: Options) -> Embedded:
    """What a message says is to follow."""
    callbacks, errbacks, chain, chord = (options.get(name) for name in ("link", "link_error", "chain", "chord"))
    return Embedded(
        [as_json(each) for each in callbacks] if callbacks else None,
        [as_json(each) for each in errbacks] if errbacks else None,
        None if chain is None else [as_json(each) for each in chain],
        None if chord is None else as_json(chord),
    )


def _instant(options: Options, after: str, at: str, now: int, epoch: datetime) -> int | None:
    """The instant that an option says, as seconds from now on or as a time."""
    given = options.get(after)
    if isinstance(given, (int, float)) and (given or after == at):
        return now + round(given * 1000)
    text = options.get(at)
    if not isinstance(text, str):
        return None
    found = ms_of(text, epoch)
    if found is None:
        raise WrongTime(text)
    return found


class WrongTime(ValueError):
    """A text that is no time."""


def declared_for(queue: TaskQueue) -> list[Any]:
    """What a caller declares before its first publish to this queue, in order."""
    found: list[Exchange | Queue | Any | None] = [queue.exchange if queue.exchange.name else None, queue.queue(), queue.binding()]
    return [each for each in found if each is not None]
