"""`explain task`: one honest sentence, the story, the cure; for what is unknown, which tasks there are."""

import json
from typing import Any

import pytest
from kits.scenario import Outcome, routesim

SHOP = """
celery:
  apps: {shop: {task_routes: {"mail.*": {queue: mail}}, result_backend: "rpc://"}}
  workers: {w1: {queues: [celery], concurrency: 1}}
  tasks:
    charge: {takes: 10s}
    late: {takes: 1s, acks_late: true}
    again: {takes: 1s, runs: [{retries: 0, ends: retry, countdown: 2s}]}
    mail.send: {takes: 1s}
    slow: {takes: 9s, time_limit: 2s}
steps:
"""
PLAIN = """
queues: {q: }
tasks: {t: {takes: 5s}}
workers: {w: {queues: q}}
steps:
  - publish: {routing_key: q, id: m, headers: {task: t, id: one}}
  - wait: 2s
  - worker: {name: w, do: kill}
"""
KILL = "  - {wait: 3s}\n  - {worker: {name: w1, do: kill}}\n"


def explain(text: str, id: str, *arguments: str) -> Outcome:
    return routesim("explain", "task", "scene.yaml", id, *arguments, files={"scene.yaml": text})


def told(text: str, id: str) -> dict[str, Any]:
    outcome = explain(text, id, "--format", "json")
    assert outcome.status == 0, outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    return found


CASES = {
    "lost": ("  - call: {task: charge, id: t}\n" + KILL, "lost",
             "t is lost: it was acknowledged when it began, and its worker w1 was killed 3 s later", "acks_late=True"),
    "late": ("  - call: {task: late, id: t}\n", "succeeded", "t succeeded on w1 at 1.000 s", ""),
    "retried": ("  - call: {task: again, id: t}\n", "succeeded", "t succeeded on w1 at 4.000 s, in its 2nd run", ""),
    "nobody": ("  - call: {task: mail.send, id: t}\n", "waiting",
               "t waits in mail; no worker consumes that queue, so nothing will run it (it went there because the route 'mail.*' of "
               "task_routes says queue mail)", "-Q mail"),
    "out of time": ("  - call: {task: slow, id: t}\n", "failed", "t failed on w1 at 2.000 s: TimeLimitExceeded", "acks_on_timeout"),
    "cold": ("  - call: {task: charge, id: t}\n  - wait: 1s\n  - worker: {name: w1, do: cold}\n", "lost",
             "its worker w1 was stopped cold 1 s later", "acks_late=True"),
    "child": ("  - call: {task: charge, id: t}\n  - wait: 1s\n  - worker: {name: w1, do: kill_child}\n", "failed",
              "WorkerLostError; nothing will run it again, for it was acknowledged when it began", "reject_on_worker_lost=True"),
    "came back": ("  - call: {task: charge, id: other}\n  - call: {task: late, id: t}\n" + KILL, "waiting",
                  "t waits in celery, where its message came back at 3.000 s (connection lost); w1, who would run it, does not "
                  "consume: killed at 3.000 s", "start w1 again"),
    "revoked": ("  - call: {task: charge, id: other}\n  - call: {task: late, id: t}\n  - control: {do: revoke, id: t}\n", "revoked",
                "t was revoked by w1: revoked; its body never ran", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_sentence_says_how_it_stands_and_what_would_help(case: str) -> None:
    steps, fate, sentence, cure = CASES[case]
    found = told(SHOP + steps, "t")
    assert found["fate"] == fate
    assert sentence in found["sentence"]
    assert (cure in found["cure"]) if cure else found["cure"] is None


def test_the_story_has_every_turn_with_its_time() -> None:
    found = told(SHOP + "  - call: {task: again, id: t}\n", "t")
    turns = [(row["at_ms"], row["what"]) for row in found["story"] if row["what"] not in ("result", "retried")]
    assert turns == [
        (0, "sent"), (0, "routed"), (0, "received"), (0, "acknowledged"), (0, "started"), (1000, "sent"), (1000, "routed"),
        (1000, "received"), (3000, "acknowledged"), (3000, "started"), (4000, "ended"),
    ]  # fmt: skip
    assert found["retries"] == [{"at_ms": 1000, "message": "t-retry-1", "due_ms": 3000}]
    assert [(run["started_ms"], run["acknowledged_ms"], run["ended"]) for run in found["runs"]] == [
        (0, 0, "task_retried"), (3000, 3000, "task_succeeded"),
    ]  # fmt: skip
    assert "t-result-2" in found["result"]


def test_a_late_acknowledgement_is_told_with_the_end() -> None:
    (run,) = told(SHOP + "  - call: {task: late, id: t}\n", "t")["runs"]
    assert (run["started_ms"], run["acknowledged_ms"], run["ended_ms"]) == (0, 1000, 1000)


@pytest.mark.parametrize("engine", ["", "broker: {kind: redis}\n"])
@pytest.mark.parametrize("format", ["table", "plain", "json", "svg"])
def test_every_format_of_an_answer_and_every_engine(engine: str, format: str) -> None:
    outcome = explain(engine + PLAIN, "one", "--format", format)
    assert outcome.status == 0, outcome.err
    flat = " ".join(outcome.out.replace("&#160;", " ").split())
    assert "acknowledged when it began" in flat


def test_on_redis_a_late_task_of_a_killed_worker_waits_for_the_visibility_timeout() -> None:
    text = (
        "broker: {kind: redis, visibility_timeout: 2h}\n"
        + PLAIN.replace("{takes: 5s}", "{takes: 5s, acks: late}")
        + "until: 1m\n"
    )
    found = told(text, "one")
    assert found["fate"] == "unacked"
    assert "visibility timeout (2 h)" in found["sentence"]


@pytest.mark.parametrize(
    ("id", "said"),
    [("on", "did you mean 'one'"), ("zzzzzz", "the first are one")],
)
def test_an_unknown_id_is_an_error_that_says_which_there_are(id: str, said: str) -> None:
    outcome = explain(PLAIN, id)
    assert outcome.status == 2
    assert f"no task has the id '{id}'" in outcome.err
    assert said in outcome.err


def test_where_nobody_runs_tasks_there_is_none() -> None:
    outcome = explain("queues: {q: }\nsteps: [publish: {routing_key: q, id: m}]\n", "m")
    assert outcome.status == 2
    assert "no worker process" in outcome.err


def test_a_call_that_the_run_never_came_to_was_not_sent() -> None:
    found = told(SHOP + "  - wait: 5s\n  - call: {task: late, id: t}\nuntil: 1s\n", "t")
    assert found["fate"] is None
    assert "was never sent" in found["sentence"]


def test_a_queue_that_only_the_run_declares_can_be_explained() -> None:
    text = SHOP.replace("steps:", "  producers: {web: {}}\nsteps:") + "  - call: {task: late, id: t, queue: made, by: web}\n"
    outcome = routesim("explain", "queue", "scene.yaml", "made", files={"scene.yaml": text})
    assert outcome.status == 0, outcome.err
    assert "queue made: classic" in outcome.out
    assert "did you mean 'made'" in routesim("explain", "queue", "scene.yaml", "mades", files={"scene.yaml": text}).err
