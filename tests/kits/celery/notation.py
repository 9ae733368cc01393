"""The events of a run in the notation of rules/celery: P, D(n), D(n,r), A(n), RJ(n,req), Q(k,g), run, end, X …

* `P` publish (`P(retries=1)`: a task that sends itself anew); `D(n)` deliver with delivery tag n, `D(n,r)` redelivered;
  `A(n)` ack; `RJ(n,req)`, `RJ(n,drop)` basic.reject; `back(n)` returned to its queue because its channel ended;
* `Q(k,g)` basic.qos k for the channel, `Q(k,c)` for each consumer; `X` connection or channel gone, with the broker's code;
  `cancel` a consumer taken away by the broker;
* `run`, `end` the body, `fails` its end in an exception, `revoked`; `unsettled`: its acknowledgement could not be sent;
* `expired`, `DLX(reason)`, `gone(reason)`, `nowhere` what becomes of a message without a worker; `404` … an error of a client;
* `2s:` what follows happens then. With several workers each token names its worker, with several messages its message.
"""

import json
from collections.abc import Iterable
from typing import Any

from routesim import events
from routesim.events import Event
from routesim.run import Result, Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

CLIENT = "client"
ENDS = {events.TaskSucceeded: "end", events.TaskFailed: "fails", events.TaskIgnored: "end"}


def send(id: str, task: str = "t", **fields: Any) -> dict[str, Any]:
    """The step that publishes a task's message as Celery's `apply_async` does; `headers` adds to its headers."""
    headers = {"task": task, "id": id, "retries": 0, **fields.pop("headers", {})}
    return {"publish": {"id": id, "channel": CLIENT, "routing_key": "q", **fields, "headers": headers}}


def command(method: str, **arguments: Any) -> dict[str, Any]:
    """The step that sends a command to every worker, as `app.control` does."""
    fields = {"method": method, "arguments": arguments, "destination": None}
    return {"publish": {"channel": CLIENT, "exchange": "celery.pidbox", "id": method, "body": json.dumps(fields)}}


def signal(name: str, do: str) -> dict[str, Any]:
    return {"worker": {"name": name, "do": do}}


def wait(time: str) -> dict[str, Any]:
    return {"wait": time}


def eta(seconds: int) -> dict[str, Any]:
    """Headers: due so many seconds after the beginning."""
    return {"headers": {"eta": f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}+00:00"}}


def delays(*levels: int) -> dict[str, Any]:
    """Celery's native delayed delivery with only some of its 28 levels, highest first: a message whose delay has a bit for
    one that is not there goes on as if that bit were 0. Its keys are those of the full ladder."""
    exchanges: dict[str, Any] = {"celery_delayed_27": "topic", "celery_delayed_delivery": "topic", "orders": "topic"}
    queues: dict[str, Any] = {"orders": {"arguments": {"x-queue-type": "quorum"}}}
    bindings: list[dict[str, Any]] = [
        {"source": "celery_delayed_27", "destination": f"celery_delayed_{levels[0]}", "routing_key": "#"}
    ]
    for level, below in zip(
        levels, (*(f"celery_delayed_{lower}" for lower in levels[1:]), "celery_delayed_delivery"), strict=True
    ):
        name, skipped = f"celery_delayed_{level}", "*." * (27 - level)
        exchanges[name] = "topic"
        queues[name] = {
            "arguments": {
                "x-queue-type": "quorum", "x-overflow": "reject-publish", "x-dead-letter-strategy": "at-least-once",
                "x-message-ttl": 2**level * 1000, "x-dead-letter-exchange": below,
            }
        }  # fmt: skip
        bindings += [
            {"source": name, "destination": name, "destination_type": "queue", "routing_key": f"{skipped}1.#"},
            {"source": name, "destination": below, "destination_type": "exchange", "routing_key": f"{skipped}0.#"},
        ]
    bindings[0]["destination_type"] = "exchange"
    bindings += [
        {"source": "celery_delayed_delivery", "destination": "orders", "destination_type": "exchange", "routing_key": "#.orders"},
        {"source": "orders", "destination": "orders", "destination_type": "queue", "routing_key": "orders"},
        {"source": "orders", "destination": "orders", "destination_type": "queue", "routing_key": "#.orders"},
    ]
    worker = {"queues": "orders", "prefetch": 4, "prefetch_of": "consumer", "delays": True}
    return {"exchanges": exchanges, "queues": queues, "bindings": bindings, "workers": {"w": worker}}


def delayed(id: str, seconds: int, key: str = "orders", **fields: Any) -> dict[str, Any]:
    """`apply_async(countdown=seconds)` at 0 s to a topic exchange of an application with quorum queues."""
    bits = ".".join(f"{seconds:028b}")
    return send(id, exchange="celery_delayed_27", routing_key=f"{bits}.{key}", **eta(seconds), **fields)


def scenario(**parts: Any) -> Scenario:
    """One classic queue `q` and one worker `w` of one process, c·m = 4, unless `parts` says something else."""
    document = {"rabbitmq": "3.10", "queues": {"q": {}}, "workers": {"w": {"queues": "q", "prefetch": 4}}, **parts}
    return load_source(Source("row.yaml", json.dumps(document)), "")


def carried_out(what: Scenario) -> tuple[str, Result]:
    """The run and its notation."""
    heard: list[Event] = []
    result = Runner(what, heard.append).run()
    return notation(heard, what), result


def notation(heard: Iterable[Event], what: Scenario) -> str:
    """From the first publish on; workers and messages are named where there are several."""
    return _Notation(what).of(heard)


class _Notation:
    def __init__(self, what: Scenario) -> None:
        self.workers = what.workers
        self.many = len(what.workers) > 1
        self.tags: dict[int, tuple[str, int]] = {}  # newest delivery of each copy: worker, tag
        self.tokens: list[tuple[int, str, str]] = []  # at_ms, token, message
        self.published: set[str] = set()

    def of(self, heard: Iterable[Event]) -> str:
        for event in heard:
            self._hear(event)
        first = next((place for place, (_, token, _) in enumerate(self.tokens) if token.endswith("P")), 0)
        several = len(self.published) > 1
        now, parts = 0, []
        for at_ms, token, message in self.tokens[first:]:
            time = f"{at_ms / 1000:g}s: " if at_ms != now else ""
            parts.append(f"{time}{token}{f' {message}' if several and message else ''}")
            now = at_ms
        return ", ".join(parts)

    def _note(self, event: Any, token: str, message: str = "", worker: str = "") -> None:
        self.tokens.append(
            (event.at_ms, f"{worker} {token}" if worker and (self.many or worker not in self.workers) else token, message)
        )

    def _hear(self, event: Any) -> None:
        kind = type(event)
        if kind in ENDS:
            self._ended(event)
        else:
            hear = getattr(self, f"_{kind.__name__}", None)
            if hear is not None:
                hear(event)

    def _ended(self, event: Any) -> None:
        """The body's end comes before what settles its message at the same instant."""
        place = len(self.tokens)
        for index in range(len(self.tokens) - 1, -1, -1):
            at_ms, token, message = self.tokens[index]
            if at_ms != event.at_ms or (message == event.task and token.endswith("run")):
                break
            if message == event.task and token.split(" ")[-1].startswith(("A(", "RJ(", "unsettled")):
                place = index
        self._note(event, ENDS[type(event)], event.task, event.worker)
        self.tokens.insert(place, self.tokens.pop())

    def _Published(self, event: events.Published) -> None:
        owner = event.channel.partition(" ")[0]
        base, retry, number = event.message.rpartition("-retry-")
        if owner in self.workers and retry:
            self._note(event, f"P(retries={number})", base, owner)
        elif owner in self.workers:
            self._note(event, "P", event.message, owner)
        else:
            self.published.add(event.message)
            self._note(event, "P", event.message)

    def _Delivered(self, event: events.Delivered) -> None:
        worker = event.consumer.partition(":")[0]
        task = event.message.partition("-retry-")[0]
        if event.auto_ack:
            self._note(event, "D", task, worker)
            return
        self.tags[event.copy] = worker, event.delivery_tag
        self._note(event, f"D({event.delivery_tag}{',r' if event.redelivered else ''})", task, worker)

    def _settled(self, event: Any, form: str) -> None:
        worker, tag = self.tags[event.copy]
        self._note(event, form.format(tag), event.message.partition("-retry-")[0], worker)

    def _Acked(self, event: events.Acked) -> None:
        if event.copy in self.tags:
            self._settled(event, "A({})")

    def _Rejected(self, event: events.Rejected) -> None:
        self._settled(event, "RJ({},drop)")

    def _Requeued(self, event: events.Requeued) -> None:
        self._settled(event, "RJ({},req)" if event.why == "reject" else "back({})")

    def _DeadLettered(self, event: events.DeadLettered) -> None:
        if event.reason == "delivery_limit":  # it was requeued once too often: that is all that is told of the reject
            self._settled(event, "RJ({},req)")
        self._note(event, f"DLX({event.reason})", event.message)

    def _Dropped(self, event: events.Dropped) -> None:
        self._note(event, f"gone({event.reason})", event.message)

    def _Unroutable(self, event: events.Unroutable) -> None:
        self._note(event, "nowhere, confirmed" if event.confirmed else "nowhere", event.message)

    def _QosSet(self, event: events.QosSet) -> None:
        if event.channel in self.workers:
            self._note(event, f"Q({event.prefetch},{'g' if event.whole_channel else 'c'})", "", event.channel)

    def _ConnectionLost(self, event: events.ConnectionLost) -> None:
        if event.connection in self.workers:
            self._note(event, "X", "", event.connection)

    def _ChannelClosed(self, event: events.ChannelClosed) -> None:
        self._note(event, f"X({event.code})", "", event.channel)

    def _ConnectionClosed(self, event: events.ConnectionClosed) -> None:
        if event.connection in self.workers:
            self._note(event, "close" if event.code == 200 else f"X({event.code})", "", event.connection)

    def _ConsumerCancelled(self, event: events.ConsumerCancelled) -> None:
        if event.why.endswith("is gone"):
            self._note(event, "cancel", "", event.consumer.partition(":")[0])

    def _QueueDeleted(self, event: events.QueueDeleted) -> None:
        self._note(event, f"{event.queue} deleted")

    def _WorkerOffline(self, event: events.WorkerOffline) -> None:
        self._note(event, "offline", "", event.worker)

    def _TaskStarted(self, event: events.TaskStarted) -> None:
        self._note(event, "run", event.task, event.worker)

    def _TaskRevoked(self, event: events.TaskRevoked) -> None:
        self._note(event, event.why, event.task, event.worker)

    def _TaskUnsettled(self, event: events.TaskUnsettled) -> None:
        self._note(event, "unsettled", event.task, event.worker)
