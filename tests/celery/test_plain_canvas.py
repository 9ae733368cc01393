"""What is called, and what follows it, in the plain sections: the form that `expand` writes, by hand."""

import pytest
from kits.scenario import play, refused

PLAIN = """
queues: {work: }
tasks:
  part: {takes: 1s, runs: [{id: odd, calls: next}]}
  total: {options: {queue: totals, priority: 3}}
  next: {}
workers:
  w1: {queues: work, app: {result_backend: "redis://", task_default_queue: work}, concurrency: 2}
steps:
  - chord: {group: g, size: SIZE}
  - publish: {routing_key: work, id: one, body: 'BODY', headers: {task: part, id: one, group: g, group_index: 0}, content_type: application/json}
  - publish: {routing_key: work, id: odd, body: 'BODY', headers: {task: part, id: odd, group: g, group_index: 1}, content_type: application/json}
expect:
  tasks: {one: {state: SUCCESS}, odd-sub-1: {state: SUCCESS, started_at: 1s}, sum: {runs: 0}}
  queues: {totals: READY}
  chords: {g: {state: STATE, returned: 2}}
"""
BODY = '[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": {"task": "total", "options": {"task_id": "sum"}}}]'


@pytest.mark.parametrize(("size", "ready", "state"), [(2, "{ready: [sum]}", "done"), (3, "{exists: false}", "waits")])
def test_the_body_of_a_chord_is_sent_when_as_many_have_returned_as_was_noted(size: int, ready: str, state: str) -> None:
    text = PLAIN.replace("BODY", BODY).replace("SIZE", str(size)).replace("READY", ready).replace("STATE", state)
    outcome = play(text.replace("routing_key: work", "exchange: '', routing_key: work"))
    assert outcome.status == 0, (outcome.err, outcome.result["expectations"])


def test_the_channel_of_the_pool_declares_a_queue_once_in_its_life() -> None:
    outcome = play("""
queues: {work: }
tasks: {parent: {calls: [child, child]}, child: {options: {queue: new}}}
workers: {w1: {queues: work, app: {}}}
steps:
  - publish: {routing_key: work, id: a, headers: {task: parent, id: a}}
  - expect: {queues: {new: {ready: [a-sub-1, a-sub-2]}}}
  - delete: {queue: new}
  - publish: {routing_key: work, id: b, headers: {task: parent, id: b}}
expect: {queues: {new: {exists: false}}, unroutable: [b-sub-1, b-sub-2]}
""")  # as of kombu: what a connection has declared, it declares no more
    assert outcome.status == 0, (outcome.err, outcome.result["expectations"])


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        ("{chain: []}", "wrong-value"),
        ("{chord: {header: [a]}}", "missing-key"),
        ("{group: [a], link: a}", "unknown-key"),
        ("{}", "missing-key"),
    ],
)
def test_what_is_no_canvas_is_refused_at_its_place(calls: str, problem: str) -> None:
    found = refused(f"queues: {{q: }}\ntasks: {{a: {{calls: {calls}}}}}\nworkers: {{w: {{queues: q}}}}\n")
    assert {item.code for item in found} == {problem}
