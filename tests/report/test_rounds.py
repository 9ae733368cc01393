"""A message that goes round over time is shown some rounds of, then counted: nothing else is left out, and nothing is counted twice."""

import re
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routesim.report.html.story import Recorder
from routesim.report.trace.rounds import SHOWN
from routesim.report.trace.rows import Rows
from routesim.report.trace.trace import Trace
from routesim.run import Result, Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

RETRY = """
queues:
  work: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: retry}}
  retry: {arguments: {x-message-ttl: 5000, x-dead-letter-exchange: "", x-dead-letter-routing-key: work}}
consumers:
  w: {queue: work, prefetch: 1, takes: TAKES, on_message: [{deaths: {queue: work, count: ">= ROUNDS"}, do: ack}, {do: reject}]}
steps:
  - publish: {routing_key: work, count: COUNT, every: 1300ms}
"""
ANEW = """
queues:
  work:
  later: {arguments: {x-message-ttl: 5000, x-dead-letter-exchange: "", x-dead-letter-routing-key: work}}
consumers: {w: {queue: work, on_message: [{publish: {routing_key: later}, do: ack}]}}
steps: [{publish: {routing_key: work}}]
until: 2000s
"""
TASK = """
celery:
  apps: {shop: {}}
  tasks: {orders.charge: {takes: 1s, ends: retry, max_retries: none, default_retry_delay: 10}}
  workers: {w1: {app: shop}}
steps: [{call: {task: orders.charge, id: c1}}]
until: 2000s
"""


def retry(rounds: int, count: int = 1, takes: str = "0") -> str:
    return RETRY.replace("ROUNDS", str(rounds)).replace("COUNT", str(count)).replace("TAKES", takes)


def told(text: str) -> tuple[list[str], int, list[str]]:
    """The lines of the trace, how many rows its events have, and what is said of rounds."""
    scenario: Scenario = load_source(Source("s.yaml", text), "")
    out, rows, count = StringIO(), Rows(), 0
    trace = Trace(out, scenario, colour=False, columns=None)

    def hear(event: object) -> None:
        nonlocal count
        trace.listen(event)
        count += rows.row(event) is not None

    Runner(scenario, hear).run()
    trace.end()
    lines = out.getvalue().splitlines()[2:]
    return lines, count, [line.strip() for line in lines if line.strip().startswith("…")]


def left_out(said: list[str]) -> int:
    return sum(int(found[1].replace(",", "")) for line in said if (found := re.search(r"([\d,]+) rows$", line)))


@settings(max_examples=30, deadline=None)
@given(rounds=st.integers(1, 120), count=st.integers(1, 4), takes=st.sampled_from(["0", "1s", "1700ms"]))
def test_every_row_is_shown_or_counted(rounds: int, count: int, takes: str) -> None:
    lines, rows, said = told(retry(rounds, count, takes))
    assert len(lines) - len(said) + left_out(said) == rows
    assert bool(said) == (rounds > SHOWN + 2)


def test_what_is_different_again_is_shown() -> None:
    lines, _, said = told(retry(100))
    assert said == ["… 63 more rounds of m1 like the last one, one every 5 s: 383 rows"]
    assert lines[-1].split()[:4] == ["500.000", "acked", "m1", "work"]


@pytest.mark.parametrize(("text", "name"), [(ANEW, "w-…"), (TASK, "c1")])
def test_what_is_published_anew_goes_round_too(text: str, name: str) -> None:
    lines, rows, said = told(text)
    assert len(said) == 1
    assert f"more rounds of {name} like" in said[0]
    assert len(lines) < 400 < rows
    assert not any(line.split()[0] == "qos" for line in lines[lines.index(next(line for line in lines if "…" in line)) :])


def test_the_page_has_the_same_moments() -> None:
    scenario = load_source(Source("s.yaml", retry(100)), "")
    recorder = Recorder(scenario)
    result: Result = Runner(scenario, recorder.hear).run()
    story = recorder.finished(result, kept=True)
    lines, _, said = told(retry(100))
    assert [moment.text for moment in story.moments if moment.text.startswith("…")] == said
    assert sum(moment.row is not None for moment in story.moments) == len(lines) - len(said)
    assert story.left_out == 0
    last = next(moment for moment in reversed(story.moments) if moment.row is not None)
    assert last.depths == {"work": (0, 0)}


def test_a_run_of_one_message_that_never_ends_is_over_soon() -> None:
    """Long before a million events: what comes back so often will not stop by itself."""
    scenario = load_source(Source("s.yaml", retry(10_000_000)), "")
    result = Runner(scenario, keep=False).run()
    counts = result.counts()
    assert result.ended == "budget"
    assert counts["published"] + counts["enqueued"] + counts["dead_letter_copies"] < 50_000
    assert result.kept_going == (
        f"messages still go round (1 in retry): m1 went work → retry → work {counts['dead_lettered'] // 2} times; "
        f"{counts['redelivered']} redeliveries, {counts['dead_lettered']} dead-lettered so far; `routesim check` says what ends it"
    )


def test_a_long_way_that_ends_is_gone_to_its_end() -> None:
    assert Runner(load_source(Source("s.yaml", retry(5_000)), ""), keep=False).run().ended == "idle"
