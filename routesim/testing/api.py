"""What `import routesim` offers to tests in Python."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from routesim import events, scenario
from routesim.content import Content
from routesim.diagnostics import did_you_mean
from routesim.explain.answer import quoted
from routesim.explain.failing.failures import failures
from routesim.model import PUBLISH_CHANNEL, Message
from routesim.named_tuples import NamedTuple
from routesim.report.formats.diagnostics import failure_lines
from routesim.run import Result, Runner
from routesim.scenario import Scenario
from routesim.scenario.engines import topology
from routesim.scenario.yaml.source import Source
from routesim.steps import Publish

Path: TypeAlias = str | os.PathLike[str]


def load(path: Path) -> Scenario:
    """The scenario, or definitions file, at `path`. Raises `Invalid` with every mistake in it."""
    return scenario.load(os.fspath(path))


def loads(text: str, file: str = "<text>") -> Scenario:
    """The scenario in `text`. Definitions files that it includes are looked for in the current folder."""
    return scenario.load_source(Source(file, text), "")


class Outcome(NamedTuple):
    """What a run came to. `failures`: for each thing that did not hold, where, what was expected, what was found and why.

    `queues`: the ids of the messages that are ready in each queue at the end; `lost`: how many messages were lost.
    """

    ok: bool
    ended: str
    clock_ms: int
    failures: tuple[str, ...]
    queues: dict[str, list[str]]
    lost: int

    def __repr__(self) -> str:
        """Short, for an assertion that fails: whether it held, and the first reason why not."""
        more = f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else ""
        why = f": {' '.join(self.failures[0].split())}{more}" if self.failures else ""
        return f"<Outcome {'OK' if self.ok else 'FAILED'}{why}; ended {self.ended}, lost {self.lost}>"


def simulate(given: Scenario | Path, *, seed: int | None = None) -> Outcome:
    """Carry out a scenario, or the one in a file. Raises `Invalid` where the file cannot be used."""
    chosen = given if isinstance(given, Scenario) else load(given)
    return outcome(Runner(chosen, seed=seed, keep=False).run())


def outcome(result: Result) -> Outcome:
    broker = result.broker
    return Outcome(
        result.ok, result.ended, broker.now, tuple("\n".join(failure_lines(item)) for item in failures(result)),
        {name: [copy.message for copy in queue.ready()] for name, queue in broker.queues.items()}, broker.ledger.lost,
    )  # fmt: skip


class ReachedQueues(frozenset[str]):
    """The names of queues. For an assertion that fails: `why` there is none; `why_not`: why a queue is not among them, "" where
    no binding leads there from the exchange itself."""

    why: str = ""
    why_not: Callable[[str], str] = staticmethod(lambda queue: "")


class Sent(NamedTuple):
    """Where a published message went. `queues`: each that has a copy of it; `returned`: it came back, being mandatory and
    unroutable; `refused`: some queue was full and nacked it; `why`: why it reached no queue."""

    queues: frozenset[str]
    returned: bool
    refused: bool
    why: str


class Topology:
    """What a scenario or definitions file declares at its top, with nobody consuming: publish, and see where it went.

    Messages stay in their queues; `ready` tells how many. Limits and alternate exchanges act as in RabbitMQ; time stands still,
    so that nothing expires and what an x-delayed-message exchange holds back reaches no queue.
    """

    def __init__(self, given: Scenario | Path) -> None:
        self._heard: list[Any] = []
        self._broker = topology(given if isinstance(given, Scenario) else load(given))
        self._broker.listen = self._heard.append
        self._published = 0

    def publish(
        self, exchange: str, routing_key: str = "", *, headers: Mapping[str, Any] | None = None, body: str = "",
        mandatory: bool = False, **properties: Any,
    ) -> Sent:  # fmt: skip
        """Publish one message. Raises `ValueError` where RabbitMQ would close the channel (no such exchange, say)."""
        if exchange not in self._broker.exchanges:
            cure = did_you_mean(exchange, [name for name in self._broker.exchanges if name])
            raise ValueError(f"no exchange '{exchange}' is declared" + (f"; {cure}" if cure else ""))
        self._heard.clear()
        self._published += 1
        fields = {name: properties.pop(name) for name in ("priority", "expiration", "delivery_mode") if name in properties}
        name = f"m{self._published}"
        message = Message(
            exchange, routing_key, body, dict(headers) if headers is not None else None, mandatory=mandatory,
            properties=properties, **fields,
        )  # fmt: skip
        refused = self._broker.apply(Publish(PUBLISH_CHANNEL, message, name))
        if refused is not None:
            raise ValueError(refused.text)
        heard = [event for event in self._heard if getattr(event, "message", None) == name]
        nowhere = [event.why for event in heard if isinstance(event, events.Unroutable)]
        queues = ReachedQueues(
            event.queue for event in heard if isinstance(event, events.Enqueued) and event.cause == "published"
        )
        queues.why = nowhere[0] if nowhere else ""
        queues.why_not = partial(self._why_not, message, name)
        return Sent(
            queues,
            any(isinstance(event, events.Returned) for event in heard),
            any(isinstance(event, events.Refused) for event in heard),
            nowhere[0] if nowhere else "",
        )

    def _why_not(self, message: Message, name: str, queue: str) -> str:
        state = self._broker.exchanges.get(message.exchange)
        content = Content(message.exchange, message.routing_key, (message.routing_key,), message.headers, "")
        bindings = state.bindings.values() if state is not None else ()
        there = [binding for binding in bindings if (binding.destination_type, binding.destination) == ("queue", queue)]
        answers = [(binding, state.matcher.why(binding, name, content)) for binding in there] if state is not None else []
        return "; ".join(f"binding {quoted(binding.routing_key)}: {answer.text}" for binding, answer in answers)

    def ready(self, queue: str) -> int:
        """How many messages wait in a queue. Raises `ValueError` where there is no such queue."""
        if queue not in self._broker.queues:
            cure = did_you_mean(queue, self._broker.queues)
            raise ValueError(f"no queue '{queue}' is declared" + (f"; {cure}" if cure else ""))
        return self._broker.queues[queue].ready_count()
