"""What has become of each task: a way to end a task a row, on each engine; and how the loss of work is told and expected."""

import json
from typing import Any, NamedTuple

import pytest
from kits.scenario import play, routesim

from routesim.celery.fates import FATES
from routesim.run import Runner
from routesim.run.tasks.fates import Fate, fates_of, lost_tasks, unconsumed
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source

ENGINES = {"rabbitmq": "", "redis": "broker: {kind: redis, visibility_timeout: 1h}\n"}


class Way(NamedTuple):
    """A task `t` with these settings, and what is done two seconds after its call; `redis`: its fate where that is another."""

    settings: str
    then: str
    fate: str
    redis: str = ""


KILL, COLD, WARM, CUT = (f"worker: {{name: w, do: {do}}}" for do in ("kill", "cold", "warm", "disconnect"))
NOTHING = "wait: 0s"
WAYS = {
    "done": Way("takes: 1s", NOTHING, "succeeded"),
    "an exception": Way("takes: 1s, ends: exception", NOTHING, "failed"),
    "ignored": Way("takes: 1s, ends: ignore", NOTHING, "ignored"),
    "turned away by its body": Way("acks: late, takes: 1s, ends: reject", NOTHING, "rejected"),
    "early, killed": Way("takes: 5s", KILL, "lost"),
    "early, cold": Way("takes: 5s", COLD, "lost"),
    "early, warm": Way("takes: 5s", WARM, "succeeded"),
    "early, cut off": Way("takes: 5s", CUT, "succeeded"),
    "late, killed": Way("acks: late, takes: 5s", KILL, "waiting", "unacked"),
    "late, cold": Way("acks: late, takes: 5s", COLD, "waiting"),
    "late, warm": Way("acks: late, takes: 5s", WARM, "succeeded"),
    "early, its child killed": Way("takes: 5s", "worker: {name: w, do: kill_child}", "failed"),
    "late, its child killed": Way("acks: late, takes: 5s", "worker: {name: w, do: kill_child}", "failed"),
    "early, out of time": Way("takes: 5s, time_limit: 1s", NOTHING, "failed"),
    "it kills its worker": Way("takes: 1s, ends: kill_worker", NOTHING, "lost"),
    "retried, killed while held": Way("takes: 1s, ends: retry, countdown: 1h", KILL, "waiting", "unacked"),
}


def scenario(text: str) -> Any:
    return load_source(Source("scene.yaml", text), "")


def run_text(text: str, *arguments: str) -> Any:
    return routesim("run", "scene.yaml", *arguments, files={"scene.yaml": text})


def fate(text: str, engine: str, until: str | int | None = None) -> dict[str, Fate]:
    return fates_of(Runner(scenario(ENGINES[engine] + text), until=until).run())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_end_has_its_fate(way: str, engine: str) -> None:
    settings, then, expected, on_redis = WAYS[way]
    text = f"""
queues: {{q: }}
tasks: {{t: {{{settings}}}}}
workers: {{w: {{queues: q}}}}
steps:
  - publish: {{routing_key: q, id: m, headers: {{task: t}}}}
  - wait: 2s
  - {then}
"""
    found = fate(text, engine, until=60_000)["m"]
    assert found.name == (on_redis if engine == "redis" and on_redis else expected)
    assert found.name in FATES


LOST = """
queues: {q: }
tasks: {t: {takes: 5s}}
workers: {w: {queues: q}}
steps:
  - publish: {routing_key: q, id: m, headers: {task: t, id: one}}
  - publish: {routing_key: q, id: waits, headers: {task: t}}
  - wait: 2s
  - worker: {name: w, do: kill}
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_the_balance_holds_and_what_is_lost_is_counted_once(engine: str) -> None:
    found = play(ENGINES[engine] + LOST).result
    assert found["counts"]["lost"] == 1
    assert found["lost_tasks"] == ["one"]
    assert found["tasks"]["one"]["fate"] == "lost"
    assert found["tasks"]["one"]["state"] == "STARTED"
    assert found["workers"]["w"]["lost"] == 1


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        ("lost_tasks: [one]", True), ("lost_tasks: 1", True), ("lost_tasks: []", False), ("lost_tasks: [waits]", False),
        ("lost: 1", True), ("lost: 0", False), ("tasks: {one: {fate: lost}}", True), ("tasks: {one: {fate: waiting}}", False),
        ("tasks: {one: {queue: q, worker: w, started_at: 0s}}", True), ("workers: {w: {lost: 1}}", True),
    ],
)  # fmt: skip
def test_what_is_lost_can_be_expected(expected: str, holds: bool) -> None:
    found = run_text(f"{LOST}expect: {{{expected}}}\n", "-q")
    assert (found.status == 0) is holds, found.out


def test_a_promise_that_nothing_is_lost_is_broken_by_it() -> None:
    found = run_text(f"{LOST}never: [{{lost: true}}]\n", "-q")
    assert found.status == 1
    assert "lost with w (killed)" in found.out


def test_beside_an_ok_that_expects_nothing_it_is_told() -> None:
    assert "1 task LOST" in run_text(LOST, "-q").out
    assert "one is lost: acknowledged and not done when w ended (killed); nothing will run it again" in run_text(LOST).out
    assert "LOST" not in run_text(f"{LOST}expect: {{lost_tasks: [one]}}\n", "-q").out


@pytest.mark.parametrize(("error", "holds"), [("TimeLimitExceeded", True), ("TimeLimit", True), ("WorkerLostError", False)])
def test_the_reason_of_a_bad_end_is_expected_by_a_part_of_it(error: str, holds: bool) -> None:
    text = f"""
queues: {{q: }}
tasks: {{t: {{takes: 5s, time_limit: 1s}}}}
workers: {{w: {{queues: q}}}}
steps: [publish: {{routing_key: q, id: m, headers: {{task: t}}}}]
expect: {{tasks: {{m: {{error: {error}}}}}}}
"""
    assert (run_text(text, "-q").status == 0) is holds


@pytest.mark.parametrize("engine", ENGINES)
def test_a_queue_that_nobody_consumes_is_named_with_its_tasks(engine: str) -> None:
    text = """
queues: {q: , mail: }
tasks: {t: }
workers: {w: {queues: q}}
steps:
  - publish: {routing_key: q, id: m, headers: {task: t}}
  - publish: {routing_key: mail, id: left, headers: {task: t}}
"""
    result = Runner(scenario(ENGINES[engine] + text)).run()
    assert [(item.queue, item.tasks, item.workers) for item in unconsumed(result, fates_of(result))] == [("mail", ["left"], [])]
    assert "no worker consumes queue mail: 1 task waits there: left" in run_text(ENGINES[engine] + text).out


def test_a_retry_that_is_under_way_is_not_lost_with_the_run_before() -> None:
    text = """
queues: {q: }
tasks: {t: {takes: 1s, ends: retry, countdown: 1s, max_retries: 1}}
workers: {w: {queues: q}}
steps: [publish: {routing_key: q, id: m, headers: {task: t}}]
"""
    runner = Runner(scenario(text), until=1_500)
    result = runner.run()
    assert fates_of(result)["m"] == Fate("scheduled", "w")
    assert lost_tasks(result) == []


@pytest.mark.parametrize(
    ("publish", "why"),
    [
        ("{exchange: nowhere, id: m, headers: {task: t}}", "reached no queue"),
        ("{routing_key: short, id: m, headers: {task: t}}", "dropped from short (expired)"),
    ],
)
def test_a_message_that_ends_takes_its_task_with_it_and_says_why(publish: str, why: str) -> None:
    text = f"""
exchanges: {{nowhere: fanout}}
queues: {{q: , short: {{arguments: {{x-message-ttl: 100}}}}}}
tasks: {{t: }}
workers: {{w: {{queues: q}}}}
steps: [publish: {publish}, wait: 1s]
"""
    found = fate(text, "rabbitmq")["m"]
    assert found.name == "gone"
    assert why in found.why


@pytest.mark.parametrize(("format", "told"), [("junit", "warning[task-lost]"), ("github", "::warning "), ("tap", "severity: ")])
def test_formats_that_list_results_note_it_and_hold_all_the_same(format: str, told: str) -> None:
    found = run_text(LOST, "--format", format)
    assert found.status == 0
    assert told in found.out
    assert "task one is lost" in found.out
    assert "task one is lost" not in run_text(f"{LOST}expect: {{lost: 1}}\n", "--format", format).out


@pytest.mark.parametrize("engine", ENGINES)
def test_the_monitor_shows_it_with_the_columns_that_flower_has(engine: str) -> None:
    def monitor(format: str) -> str:
        out: str = routesim(
            "celery", "monitor", "scene.yaml", "--format", format, files={"scene.yaml": ENGINES[engine] + LOST}
        ).out
        return out

    shown = monitor("plain")
    assert "one is lost" in shown
    for column in ("queue", "runtime", "pool", "concurrency", "what became of it"):
        assert column in shown, column
    found = json.loads(monitor("json"))
    assert found["lost_tasks"] == ["one"]
    first = found["tasks"][0]
    assert (first["task"], first["queue"], first["fate"]) == ("one", "q", "lost")
    assert (found["workers"]["w"]["pool"], found["workers"]["w"]["queues"], found["workers"]["w"]["lost"]) == (
        "prefork",
        ["q"],
        1,
    )


def test_a_sweep_says_in_how_many_runs_work_was_lost() -> None:
    out = run_text(LOST, "--seeds", "1..3").out
    assert "Tasks lost with their worker, acknowledged and not done: 1 a run." in out
    assert json.loads(run_text(LOST, "--seeds", "1..3", "--format", "json").out)["counts"]["task_lost"] == {
        "min": 1, "median": 1, "max": 1,
    }  # fmt: skip
