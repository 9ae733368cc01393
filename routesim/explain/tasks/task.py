"""What became of one task: sent, routed, received, started, acknowledged, killed, sent anew, and how it stands at the end."""

from typing import Any

from routesim.diagnostics import did_you_mean
from routesim.durations import seconds
from routesim.explain.answer import Answer, CannotExplain
from routesim.explain.tasks.task_life import TaskLife
from routesim.explain.tasks.task_verdict import Verdict, result_of, verdict_of
from routesim.run import Result, Runner
from routesim.run.tasks.fates import Fate, fates_of
from routesim.scenario import PublishMany, Scenario
from routesim.tables import QUIET, Cell, Section

MAX_IDS = 200


def explain_task(scenario: Scenario, task: str, *, seed: int | None = None) -> Answer:
    """Runs the scenario and tells the life of `task`. Raises `CannotExplain` when no task has that id."""
    if not scenario.workers:
        raise CannotExplain("no worker process is in this scenario, so nothing is a task; `explain message` tells of messages")
    life = TaskLife(scenario, task, scenario.routed.get(task, ""))
    result = Runner(scenario, life.hear, seed=seed).run()
    found = fates_of(result)
    if task not in found:
        return _never_sent(scenario, task, life, result)
    fate = found[task]
    verdict = verdict_of(life, fate, result)
    hints = (verdict.cure,) if verdict.cure else ()
    return Answer(verdict.sentence, (_story(life, result),), hints, _data(life, fate, verdict, result))


def _story(life: TaskLife, result: Result) -> Section:
    rows, last = [], None
    for row in life.rows:
        time = seconds(row.at_ms) if row.at_ms != last else ""
        last = row.at_ms
        rows.append((Cell(time), Cell(row.label, row.tone), Cell(row.text)))
    rows.append((Cell(""), Cell("result", QUIET), Cell(result_of(life, result), QUIET)))
    return Section("", ("time s", "", "what happened"), rows)


def _data(life: TaskLife, fate: Fate, verdict: Verdict, result: Result) -> dict[str, Any]:
    assert result.tasks is not None
    return {
        "task": life.task, "name": life.name, "state": result.tasks.of[life.task]["state"], "fate": fate.name,
        "where": fate.where, "why": fate.why, "sentence": verdict.sentence, "cure": verdict.cure or None,
        "sent": [{"at_ms": item.at_ms, "message": item.message, "by": item.channel} for item in life.sent],
        "routed_because": life.why_routed or None,
        "received": [
            {
                "at_ms": item.at_ms, "message": item.message, "queue": item.queue, "worker": item.worker,
                "redelivered": item.redelivered, "due_ms": item.due_ms,
            }
            for item in life.received
        ],
        "runs": [run.as_data() for run in life.runs],
        "retries": [{"at_ms": item.at_ms, "message": item.message, "due_ms": item.due_ms} for item in life.retries],
        "result": result_of(life, result),
        "story": [{"at_ms": row.at_ms, "what": row.label, "text": row.text} for row in life.rows],
    }  # fmt: skip


def _never_sent(scenario: Scenario, task: str, life: TaskLife, result: Result) -> Answer:
    """A task that the scenario knows and that nobody has sent."""
    planned = {
        action.id(index): (index, step.line)
        for step in scenario.steps
        if isinstance(action := step.action, PublishMany)
        for index in range(min(action.times, MAX_IDS))
    }
    if task not in planned:
        known = [*list(life.known)[:MAX_IDS], *planned]
        cure = did_you_mean(task, known) or (f"the first are {', '.join(list(life.known)[:5])}" if life.known else "")
        raise CannotExplain(f"no task has the id '{task}' in this run" + (f"; {cure}" if cure else ""))
    refused = next((error.text for error in result.errors if error.step is not None and not error.expected), "")
    line = planned[task][1]
    why = f"RabbitMQ had refused: {refused}" if refused else "the run ended before that, or it is no task's message"
    sentence = f"{task} was never sent, though line {line} would send it: {why}"
    return Answer(sentence, (), (), {"task": task, "fate": None, "sentence": sentence, "line": line})
