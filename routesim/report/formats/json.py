"""JSON, the contract that scripts read: the envelope of every command, and the result of a run."""

import json
from collections.abc import Iterable
from typing import IO, Any, Protocol

from routesim.broker.protocols import EngineQueue
from routesim.celery.fates import LOST
from routesim.queues import Copy
from routesim.report.formats.reports import RunReport
from routesim.report.results import Suite
from routesim.report.results.findings import file_object
from routesim.report.style import OutputStyle
from routesim.report.summary.task_sections import worker_facts
from routesim.run import Checked, Result, StepError, unacked
from routesim.run.tasks.fates import fates_of
from routesim.run.verdicts import unexpected_losses, verdict_of
from routesim.scenario import Scenario
from routesim.values import plain

FORMAT = 1
BETWEEN_EVENTS = ", "


class HasData(Protocol):
    """What a command found, for programs."""

    @property
    def data(self) -> dict[str, Any]: ...


def envelope(data: dict[str, Any]) -> str:
    """A command's answer as one line of JSON."""
    return json.dumps({"format": FORMAT, **data}, ensure_ascii=True, allow_nan=False)


def write(out: IO[str], found: HasData, style: OutputStyle) -> None:
    out.write(envelope(found.data) + "\n")


class JsonReport(RunReport):
    """A line for each scenario."""

    needs_records = shows_refused = True

    def __init__(self, out: IO[str], scenario: Scenario, style: OutputStyle) -> None:
        super().__init__(out, scenario, style)
        self.events: list[str] = []
        if not style.quiet:
            from routesim.report.formats.ndjson import Lines

            self.listen = Lines(self.events.append, BETWEEN_EVENTS)

    def finish(self, result: Result) -> None:
        self.out.write(result_object(result, self.events) + "\n")

    @classmethod
    def refused(cls, suite: Suite, encoding: str) -> str:
        return envelope({"ok": False, **file_object(suite)}) + "\n"


def result_object(result: Result, events: list[str]) -> str:
    """The whole result as one line of JSON; `events` are written by `Lines`, each with `BETWEEN_EVENTS` at its end."""
    broker = result.broker
    found = {
        "file": result.scenario.file,
        "scenario": result.scenario.name,
        "rabbitmq": result.scenario.rabbitmq,
        **({} if result.scenario.settings.kind == "rabbitmq" else {"broker": result.scenario.settings.kind}),
        "ok": result.ok,
        "verdict": verdict_of(result),
        "unexpected_losses": unexpected_losses(result).total,
        "ended": result.ended,
        "clock_ms": result.clock_ms,
        "counts": result.counts(),
        "messages": result.messages.of,
        "queues": {
            name: {
                "ready": [_ready(queue, copy) for copy in queue.ready()],
                "unacked": [
                    {
                        "message": message,
                        "consumer": consumer,
                        "channel": channel,
                        "delivery_tag": tag,
                        "redelivered": redelivered,
                    }
                    for message, consumer, channel, tag, redelivered in unacked(broker, queue)
                ],
                **_kept_back(queue),
            }
            for name, queue in broker.queues.items()
        },
        "consumers": {
            name: {
                "queue": result.scenario.consumers[name].queue if name in result.scenario.consumers else None,
                "deliveries": deliveries,
            }
            for name, deliveries in result.deliveries.of.items()
        },
        "gets": result.gets.all,
        **checked_facts(result.expectations, result.errors),
    }
    if result.tasks is not None:
        fates = fates_of(result)
        found["tasks"] = {
            task: {**record, "fate": fates[task].name, **_facts(result.tasks.facts[task])}
            for task, record in result.tasks.of.items()
        }
        found["lost_tasks"] = [task for task, fate in fates.items() if fate.name == LOST]
        found["workers"] = worker_facts(result)
    if result.processes is not None and result.processes.chords.by_group:
        found["chords"] = {group: chord.facts() for group, chord in result.processes.chords.by_group.items()}
    return f'{envelope(found)[:-1]}, "events": [{"".join(events).removesuffix(BETWEEN_EVENTS)}]}}'


def checked_facts(expectations: Iterable[Checked], errors: Iterable[StepError]) -> dict[str, Any]:
    """What was expected and came, and what the broker closed."""
    return {
        "expectations": [{"line": item.line, "text": item.text, "ok": item.ok, "actual": item.actual} for item in expectations],
        "errors": [
            {"step": error.step, "code": error.code, "text": error.text, "expected": error.expected}
            | ({"more": error.more} if error.more else {})
            for error in errors
        ],
    }


def _facts(facts: Any) -> dict[str, Any]:
    return {"sent_ms": facts.sent_ms, "queue": facts.queue or None, "worker": facts.worker or None, "error": facts.error or None}


def _kept_back(queue: Any) -> dict[str, Any]:
    """At-least-once dead letters that no queue has taken; the key is there only where there are any."""
    found = [{"message": copy.message, "reason": reason} for copy, reason in getattr(queue, "awaiting", ())]
    return {"kept_back": found} if found else {}


def _ready(queue: EngineQueue, copy: Copy) -> dict[str, Any]:
    return {
        "message": copy.message,
        "redelivered": copy.redelivered and not queue.keeps_log,
        "exchange": copy.content.exchange,
        "routing_key": copy.content.routing_key,
        "headers": plain(queue.headers(copy, got=True)),
        "expiration": copy.content.expiration,
    }
