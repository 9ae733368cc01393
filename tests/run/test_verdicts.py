"""The verdict in one word: a loss that nothing expected is no OK, whatever is kept of the run."""

import json

import pytest
from kits.cli import within

from routesim.run import Runner
from routesim.run.verdicts import Unexpected, unexpected_losses, verdict_of
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

SHOP = """
exchanges: {shop: topic}
queues: {shoes: , small: {arguments: {x-max-length: 1}}}
bindings: [{source: shop, destination: shoes, routing_key: ship.any}]
"""
NOWHERE = "steps: [publish: {exchange: shop, routing_key: ship.shoes}]\n"
FULL = "steps: [publish: {routing_key: small, count: 3}]\n"
AUTO = """
queues: {jobs: }
consumers: {w: {queue: jobs, auto_ack: true, on_message: [{do: crash, takes: 1s}]}}
steps: [publish: {routing_key: jobs}]
"""
TASKS = """
queues: {celery: }
tasks: {charge: {takes: 10s}}
workers: {w1: {queues: celery}}
steps:
  - publish: {routing_key: celery, id: c1, headers: {task: charge, id: c1}}
  - wait: 5s
  - worker: {name: w1, do: kill}
"""
# Scenario, its verdict, how many messages and tasks nothing expected.
CASES = {
    "nothing is lost": (SHOP, "OK", 0, 0),
    "nothing expected": (SHOP + NOWHERE, "RAN", 1, 0),
    "something else expected": (SHOP + NOWHERE + "expect: {ended: idle}", "HELD", 1, 0),
    "another queue expected": (SHOP + NOWHERE + "expect: {queues: {shoes: {ready: 0}}}", "HELD", 1, 0),
    "the loss expected": (SHOP + NOWHERE + "expect: {lost: 1}", "OK", 0, 0),
    "a loss refused": (SHOP + NOWHERE + "expect: {lost: 0}", "FAILED", 0, 0),
    "unroutable": (SHOP + NOWHERE + "expect: {unroutable: [m1]}", "OK", 0, 0),
    "never lost": (SHOP + NOWHERE + "never: [{lost: true}]", "FAILED", 0, 0),
    "a route is no expectation of a run": (SHOP + NOWHERE + "routes: [{exchange: shop, routing_key: a, queues: []}]", "HELD", 1, 0),
    "the queue's end": (SHOP + FULL + "expect: {queues: {small: {ready: [m3]}}}", "OK", 0, 0),
    "what the queue is": (SHOP + FULL + "expect: {queues: {small: {type: classic}}}", "HELD", 2, 0),
    "one message's end": (SHOP + FULL + "expect: {messages: {m1: {small: 'dropped: maxlen'}}}", "HELD", 1, 0),
    "returned is of publishes": (SHOP + FULL + "expect: {returned: 0}", "HELD", 2, 0),
    "lost in mid-run": (
        SHOP + "steps: [publish: {routing_key: small, count: 2}, expect: {lost: 1}, publish: {routing_key: small}]", "HELD", 2, 0,
    ),
    "an empty queue hides no crash": (AUTO + "expect: {queues: {jobs: {ready: 0}}}", "HELD", 1, 0),
    "its state is known": (AUTO + "expect: {messages: {m1: {jobs: lost}}}", "OK", 0, 0),
    "a task": (TASKS, "RAN", 0, 1),
    "a task expected": (TASKS + "expect: {lost_tasks: [c1]}", "OK", 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "quiet"])
@pytest.mark.parametrize("case", CASES)
def test_the_word(case: str, keep: bool) -> None:
    text, word, messages, tasks = CASES[case]
    result = Runner(load_source(Source("case.yaml", text), ""), keep=keep).run()
    assert (verdict_of(result), unexpected_losses(result)) == (word, Unexpected(messages, tasks))


def test_workers_events_that_nobody_hears_are_no_loss_of_the_scenario() -> None:
    text = """
broker: {kind: redis, visibility_timeout: 60s, restore_every: 10s}
celery:
  apps: {shop: {task_acks_late: true}}
  tasks: {work: {takes: 5s}}
  workers: {w1: , w2: {start: false}}
steps: [call: {task: work}, wait: 1s, worker: {name: w1, do: kill}, worker: {name: w2, do: start}]
"""
    result = Runner(load_source(Source("case.yaml", text), "")).run()
    assert result.broker.ledger.lost > 0
    assert verdict_of(result) == "OK"


@pytest.fixture
def lossy(tmp_path) -> str:
    path = tmp_path / "unroutable.yaml"
    path.write_text(SHOP + NOWHERE, encoding="utf-8")
    return str(path)


def test_every_format_tells(lossy: str) -> None:
    assert "RAN  unroutable: 1 message LOST, nothing expected; " in within("run", lossy).out
    assert within("run", "-q", lossy).out.startswith("RAN  ")
    data = json.loads(within("run", lossy, "--format", "json").out)
    assert (data["ok"], data["verdict"], data["unexpected_losses"]) == (True, "RAN", 1)
    for format, sign in (("junit", "message m1 is lost"), ("tap", "message m1 is lost"), ("github", "::warning ")):
        assert sign in within("run", lossy, "--format", format).out
    page = within("run", lossy, "--format", "html").out
    assert 'data-verdict="ran"' in page
    assert "! RAN" in page
    assert "✔ OK" not in page


def test_the_status_is_0_and_1_where_that_is_asked_for(lossy: str) -> None:
    assert within("run", "-q", lossy).status == 0
    assert within("run", "-q", "--fail-on-loss", lossy).status == 1


def test_over_many_seeds_too(lossy: str) -> None:
    done = within("run", lossy, "--seeds", "1..3", "--format", "json")
    data = json.loads(done.out)
    assert (data["ok"], data["verdict"], data["unexpected_losses"]["runs"]) == (
        True,
        "RAN",
        1,
    )  # the seeds change nothing: one run
    assert within("run", lossy, "--seeds", "1..3", "-q").out.startswith("RAN  ")


def test_many_files_have_one_line_that_sums_up(lossy: str) -> None:
    done = within("run", "-q", lossy, "scenarios/hello.yaml", "tests/cli/failing.yaml")
    assert done.out.splitlines()[-1] == f"3 scenarios: 1 OK, 1 RAN ({lossy}), 1 FAILED (tests/cli/failing.yaml)"
    assert (
        within("run", "-q", lossy, "scenarios/hello.yaml", "--jobs", "2").out.splitlines()[-1]
        == f"2 scenarios: 1 OK, 1 RAN ({lossy})"
    )
    assert "scenarios:" not in within("run", "-q", lossy).out


TOPIC = """
exchanges: {shop: topic, direct: direct, fan: fanout, all: fanout, dlx: topic}
queues: {shoes: , q: {arguments: {x-dead-letter-exchange: dlx}}}
bindings:
  - {source: shop, destination: shoes, routing_key: ship.any}
  - {source: direct, destination: shoes, routing_key: error}
  - {source: fan, destination: shop, destination_type: exchange}
  - {source: dlx, destination: shoes, routing_key: p.*}
"""


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ("publish: {exchange: shop, routing_key: ship.shoes}", [
            "nearest on 'shop': ship.any to shoes: word 2 is 'shoes', not 'any'; bound as ship.* it would match",
            "ask: routesim explain route FILE shop ship.shoes",
        ]),
        ("publish: {exchange: direct, routing_key: eror}", ["did you mean 'error'?", "ask: routesim explain route FILE direct eror"]),
        ("publish: {exchange: fan, routing_key: ship.shoes}", ["nearest on 'shop': ship.any to shoes"]),
        ("publish: {exchange: all, routing_key: x}", ["nothing is bound to 'all'"]),
        ("publish: {routing_key: nobody}", ["ask: routesim explain route FILE nobody"]),
        ("bind: {source: all, destination: fan, destination_type: exchange}, publish: {exchange: all, routing_key: a}", [
            "nearest on 'shop': ship.any",
        ]),
        ("unbind: {source: shop, destination: shoes, routing_key: ship.any}, publish: {exchange: shop, routing_key: ship.any}", [
            "nothing is bound to 'shop'",
        ]),
        ("publish: {routing_key: q}, get: {queue: q, channel: c}, reject: {channel: c, message: m1, requeue: false}", [
            "nearest on 'dlx': p.* to shoes: word 1 is 'q', not 'p'",
            "ask: routesim explain message FILE m1",
        ]),
    ],
)  # fmt: skip
def test_the_trace_says_why_not_and_what_to_ask(tmp_path, steps: str, lines: list[str]) -> None:
    path = tmp_path / "lossy.yaml"
    path.write_text(TOPIC + f"steps: [{steps}]\n", encoding="utf-8")
    out = within("run", str(path)).out
    for line in lines:
        assert line.replace("FILE", str(path)) in out
    asked = next((line.partition("ask: routesim ")[2].split() for line in out.splitlines() if "ask: " in line), None)
    assert asked is not None
    assert within(*asked).status == 0  # what it suggests can be typed


def test_the_same_reason_is_told_once(tmp_path) -> None:
    path = tmp_path / "lossy.yaml"
    path.write_text(TOPIC + "steps: [publish: {exchange: shop, routing_key: ship.shoes, count: 9}]\n", encoding="utf-8")
    out = within("run", str(path)).out
    assert out.count("UNROUTABLE") == 9
    assert out.count("nearest on") == 1
