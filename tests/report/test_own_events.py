"""What workers tell of themselves is one quiet row each in a trace for people, and all there in one for programs."""

import io
import json

import pytest
from kits.report import scenario_of

from routesim.report.formats import run_report
from routesim.report.style import OutputStyle
from routesim.run import Runner

FLOWER = """
name: Somebody listens
celery:
  apps: {shop: {worker_send_task_events: true}}
  workers: {w1: , w2: }
  tasks: {work: {takes: 1s}}
  flower:
steps: [call: {task: work, id: t}, flower: stop, wait: 2s]
"""


def shown(format: str) -> str:
    scenario = scenario_of(FLOWER)
    out = io.StringIO()
    report = run_report(format)(out, scenario, OutputStyle(colour=False, columns=None, quiet=False))
    report.finish(Runner(scenario, report.listen).run())
    return out.getvalue()


def trace(format: str) -> list[list[str]]:
    """The rows of the trace, without the time, as words."""
    rows = shown(format).split("\nQueues")[0].splitlines()[2:]
    return [row.strip().removeprefix("0.000").removeprefix("1.000").split() for row in rows]


@pytest.mark.parametrize("format", ["plain", "table"])
def test_each_is_one_row_that_says_who_gets_it(format: str) -> None:
    rows = [" ".join(row) for row in trace(format)]
    told = [row for row in rows if row.startswith("tells")]
    assert "tells w1 → celeryev worker.online → celeryev.flower, celeryev.w1, celeryev.w2" in told
    assert "tells w1 → celeryev task.multi → celeryev.flower" in told
    assert len(told) == 5  # both workers came; the task was received and started, and later it succeeded
    assert not [row for row in rows if "w1-event" in row and not row.startswith("UNROUTABLE")]


def test_what_is_told_comes_before_what_happens_next() -> None:
    rows = [row[0] for row in trace("plain")]
    assert rows[:4] == ["qos", "online", "tells", "qos"]


def test_one_that_reaches_nobody_is_shown() -> None:
    rows = [" ".join(row) for row in trace("plain")]
    alone = rows.index("tells w1 → celeryev task.multi")
    assert rows[alone - 1] == "succeeded t w1 work"
    assert rows[alone + 1].startswith("UNROUTABLE w1-event-4 celeryev")


def test_programs_get_every_event() -> None:
    events = [json.loads(line) for line in shown("ndjson").splitlines()]
    delivered = [event for event in events if event["event"] == "delivered" and event["message"] == "w1-event-1"]
    assert {event["queue"] for event in delivered} == {"celeryev.w1", "celeryev.w2", "celeryev.flower"}
