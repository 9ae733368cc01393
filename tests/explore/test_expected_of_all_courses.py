"""Expectations of the end and rules of `never`, asked of every course of events."""

import itertools
from pathlib import Path

import pytest
from kits.explored import broken_by, explored_text
from kits.paths import SCENARIOS

from routesim.explore import BROKEN, HOLDS, VACUOUS, bounds_of, explored, search
from routesim.scenario import load

ONE = """
queues: {{q: {{type: quorum}}}}
consumers: {{w: {{queue: q, takes: 1s}}}}
steps:
  - publish: {{routing_key: q, id: m1}}
  - publish: {{routing_key: nowhere, id: m2}}
{more}
"""


def verdicts(text: str, how: str = "always", **bounds: object) -> dict[str, str]:
    """By the sentence, without what is the same in all."""
    bounds.setdefault("kinds", (("crash", 1),))
    found = explored_text(text, expect=how, properties=(), retry=True, **bounds)
    asked = (item for item in found.explored.asked if item.name in ("expect", "never"))
    return {
        item.sentence.removeprefix("expect ").partition(" holds at")[0].removeprefix("never: "): item.verdict for item in asked
    }


@pytest.mark.parametrize(
    ("expected", "always", "sometimes"),
    [
        ("messages: {m1: {q: acked}}", HOLDS, HOLDS), ("messages: {m1: {q: ready}}", BROKEN, BROKEN),
        ("consumers: {w: {delivered: [m1]}}", BROKEN, HOLDS), ("consumers: {w: {delivered: '>= 1'}}", HOLDS, HOLDS),
        ("consumers: {w: {delivered: [m1, m1]}}", BROKEN, HOLDS), ("consumers: {w: {redelivered: 1}}", BROKEN, HOLDS),
        ("consumers: {w: {acked: 1}}", BROKEN, HOLDS), ("consumers: {w: {acked: '< 3'}}", HOLDS, HOLDS),
        ("consumers: {w: {rejected: 0, requeued: 0}}", HOLDS, HOLDS), ("unroutable: [m2]", BROKEN, HOLDS), ("returned: []", HOLDS, HOLDS),
        ("lost: 1", BROKEN, HOLDS), ("lost: '>= 1'", HOLDS, HOLDS), ("lost: 0", BROKEN, BROKEN), ("queues: {q: {ready: 0}}", HOLDS, HOLDS),
        ("queues: {q: {exists: false}}", BROKEN, BROKEN),
    ],
)  # fmt: skip
def test_what_is_expected_of_the_end(expected: str, always: str, sometimes: str) -> None:
    """The publisher sends again what was not confirmed, so that the unroutable one may be lost twice."""
    text = ONE.format(more=f"expect: {{{expected}}}")
    assert set(verdicts(text).values()) == {always}
    assert set(verdicts(text, "sometimes").values()) == {sometimes}


def test_expectations_on_one_line_are_told_apart() -> None:
    text = ONE.format(more="expect: {queues: {q: {ready: 0, unacked: 1}}}")
    assert verdicts(text) == {"queues.q.ready": HOLDS, "queues.q.unacked": BROKEN}


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ('delivered: "> 1"', BROKEN), ('delivered: "> 2"', HOLDS), ('delivered: "> 1", queues: [q], messages: [m2]', HOLDS),
        ('waits: "> 500ms"', HOLDS), ("lost: true", BROKEN), ("lost: true, messages: [m1]", HOLDS), ("reaches: q", BROKEN),
        ("reaches: q, messages: [m2]", HOLDS),
    ],
)  # fmt: skip
def test_what_must_never_be(rule: str, verdict: str) -> None:
    assert [*verdicts(ONE.format(more=f"never: [{{{rule}}}]")).values()] == [verdict]


@pytest.mark.parametrize(("waits", "verdict"), [("> 1s", HOLDS), (">= 1s", BROKEN), ("> 500ms", BROKEN)])
def test_how_long_a_message_waits(waits: str, verdict: str) -> None:
    """The second one waits until the first one is done, whether it is sent on or waits still at the end."""
    text = f"""
queues: {{q: }}
consumers: {{w: {{queue: q, prefetch: 1, takes: 1s}}}}
steps: [{{publish: {{routing_key: q, count: 2}}}}]
never: [{{waits: "{waits}"}}]
"""
    assert [*verdicts(text, kinds=()).values()] == [verdict]
    waiting = (
        text.replace("takes: 1s", "on_message: hold").replace("\nnever", "\n  - wait: 1s\nnever").replace("}}]\n  -", "}}\n  -")
    )
    waiting = waiting.replace("steps: [{publish: {routing_key: q, count: 2}}", "steps:\n  - publish: {routing_key: q, count: 2}")
    assert [*verdicts(waiting, kinds=()).values()] == [verdict]


def test_what_no_state_has_asked_is_vacuous() -> None:
    """A rule about a message that there never is, and an end that never comes."""
    answers = "{queue: q, on_message: [{routing_key: other, publish: {routing_key: q}}, {do: ack}]}"
    text = ONE.format(more="never: [{lost: true, messages: [w-1]}]").replace("{queue: q, takes: 1s}", answers)
    assert verdicts(text) == {"no copy of w-1 is lost": VACUOUS}
    endless = "queues: {q: }\nconsumers: {w: {queue: q, on_message: requeue, takes: 1s}}\nsteps: [publish: {routing_key: q}]\n"
    assert verdicts(endless + "expect: {queues: {q: {ready: 0}}}", kinds=()) == {"queues.q.ready": VACUOUS}


SMALL = [
    """
queues: {q: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: r}}, r: }
consumers:
  w: {queue: q, prefetch: 1, on_message: [{redelivered: false, do: requeue}, {do: reject}]}
  v: {queue: r, auto_ack: true, takes: 1s}
steps:
  - publish: {routing_key: q, id: m1, channel: a}
  - publish: {routing_key: q, id: m2, channel: b}
expect:
  consumers: {w: {delivered: [m1, m1, m2, m2], requeued: 2, rejected: 2}, v: {delivered: "> 1", acked: 2, redelivered: 0}}
  messages: {m1: {q: "dead-lettered: rejected", r: acked}}
  lost: 0
never: [{delivered: "> 2"}, {delivered: "> 3"}, {waits: ">= 1s"}]
""",
    """
queues: {q: {type: quorum}}
consumers: {w: {queue: q, takes: 1s, concurrency: 2}, v: {queue: q, takes: 2s, prefetch: 1}}
steps:
  - publish: {routing_key: q, id: m1}
  - publish: {routing_key: q, id: m2}
  - publish: {routing_key: q, id: m3}
expect: {consumers: {w: {delivered: [m1, m3], acked: 2}, v: {delivered: [m2], acked: "<= 1"}}, messages: {m3: {q: acked}}}
never: [{delivered: "> 1", messages: [m1]}, {waits: "> 1s"}]
""",
]


@pytest.mark.parametrize("text", SMALL)
def test_states_are_told_apart_by_all_that_is_asked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdicts are those of a search that takes every course of events for one of its own."""
    for how in ("always", "sometimes"):
        together = verdicts(text, how, kinds=(("crash", 1),) if text is SMALL[0] else ())
        numbers = itertools.count()
        with monkeypatch.context() as patched:
            patched.setattr(search, "digest", lambda world, numbers=numbers: next(numbers).to_bytes(16, "big"))
            apart = verdicts(text, how, kinds=(("crash", 1),) if text is SMALL[0] else ())
        assert together == apart


HANGS = """
queues: {q: {type: quorum, arguments: {x-consumer-timeout: 3000}}}
consumers: {w: {queue: q, prefetch: 2, concurrency: 2, takes: 5s}, v: {queue: q, prefetch: 1, takes: 1s, start: false}}
steps:
  - publish: {routing_key: q, id: m1}
  - wait: 1s
  - publish: {routing_key: q, id: m2}
  - wait: 1s
  - consume: v
expect:
  consumers: {v: {delivered: [m1, m2], acked: "<= 2", redelivered: 2}, w: {acked: "<= 1"}}
  messages: {m1: {q: acked}, m2: {q: acked}}
"""


def test_who_hangs_is_told_apart_by_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = (("hang", 2),)
    together = verdicts(HANGS, kinds=kinds)
    numbers = itertools.count()
    monkeypatch.setattr(search, "digest", lambda world: next(numbers).to_bytes(16, "big"))
    assert verdicts(HANGS, kinds=kinds) == together
    assert set(together.values()) == {HOLDS, BROKEN}


CELERY = """
celery:
  apps: {shop: {task_acks_late: true}}
  workers: {w1: }
  tasks: {charge: {takes: 1s}}
steps: [{call: {task: charge, id: c}}]
expect: {tasks: {c: {state: SUCCESS, runs: 1}}}
never: [{delivered: "> 1"}]
"""


def test_tasks_are_asked_of_every_course() -> None:
    by_name = {"tasks.c.state": HOLDS, "tasks.c.runs": BROKEN, "no message is delivered > 1 times": BROKEN}
    assert verdicts(CELERY, kinds=(("kill_worker", 1),)) == by_name
    assert verdicts(CELERY, "sometimes", kinds=(("kill_worker", 1),)) == by_name | {"tasks.c.runs": HOLDS}
    assert verdicts(CELERY, kinds=(("kill_child", 1),)) == {
        "tasks.c.state": BROKEN, "tasks.c.runs": HOLDS, "no message is delivered > 1 times": HOLDS,
    }  # fmt: skip
    found = explored_text(CELERY, kinds=(("kill_worker", 1),), properties=(), expect="always")
    example = broken_by(found, "expect")
    assert example is not None
    assert example.broken.how == "tasks.c.runs is 1, found 2"


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_run_finds_is_the_end_of_some_course(path: Path) -> None:
    """Each expectation of a scenario holds at some end, with no failure, unless it has no end."""
    scenario = load(str(path))
    bounds = bounds_of(scenario)._replace(failures=0, kinds=(), properties=(), expect="sometimes", max_states=1_500)
    found = explored(scenario, bounds, cures=False).explored
    assert not found.complete or not found.ends or [item.sentence for item in found.broken if item.name == "expect"] == []
