"""Expectations of what a queue is, and of when and where a task ran."""

import pytest
from kits.scenario import checked, only, play

QUEUES = """
rabbitmq: "{version}"
queues:
  plain:
  counted: {{type: quorum}}
  log: {{type: stream}}
  mine: {{exclusive: true}}
  brief: {{auto_delete: true}}
  both: {{arguments: {{x-message-ttl: 60000, x-dead-letter-exchange: dlx, x-max-priority: 3}}}}
policies: [{{name: p, pattern: both, definition: {{message-ttl: 5000, max-length: 3}}}}]
"""


@pytest.mark.parametrize(
    ("queue", "wanted", "held"),
    [
        ("plain", "type: classic", True),
        ("plain", "type: quorum", False),
        ("counted", "type: quorum", True),
        ("log", "type: stream", True),
        ("plain", "durable: true", True),
        ("mine", "durable: true", False),  # an exclusive queue is stored as not durable
        ("mine", "exclusive: true", True),
        ("plain", "exclusive: true", False),
        ("brief", "auto_delete: true", True),
        ("counted", "auto_delete: true", False),
        ("both", "arguments: {x-message-ttl: 5000}", True),  # the policy's, which is smaller
        ("both", "arguments: {x-message-ttl: 60000}", False),
        ("both", "arguments: {x-max-length: 3}", True),
        ("both", "arguments: {x-dead-letter-exchange: dlx}", True),
        ("both", "arguments: {x-max-priority: {long: 3}}", True),
        ("both", "arguments: {x-expires: null}", True),
        ("both", "arguments: {x-max-length: null}", False),
        ("counted", "arguments: {x-queue-type: quorum}", True),
        ("log", "arguments: {x-max-age: null}", True),
    ],
)
def test_what_a_queue_is(queue: str, wanted: str, held: bool) -> None:
    text = QUEUES.format(version="4.0")
    expectation = f"{{queues: {{{queue}: {{{wanted}}}}}}}"
    assert checked(f"{text}steps: [expect: {expectation}]\nexpect: {expectation}\n") == [held, held]


@pytest.mark.parametrize(("version", "limit"), [("3.13", "null"), ("4.0", "20")])
def test_a_default_counts_as_a_value_in_force(version: str, limit: str) -> None:
    expectation = f"expect: {{queues: {{counted: {{arguments: {{x-delivery-limit: {limit}}}}}}}}}\n"
    assert checked(QUEUES.format(version=version) + expectation) == [True]


def test_a_queue_without_a_type_has_the_one_of_its_vhost() -> None:
    text = "queues: {plain: , log: {type: stream}}\nbroker: {default_queue_type: quorum}\n"
    assert checked(text + "expect: {queues: {plain: {type: quorum}, log: {type: stream}}}\n") == [True, True]


def test_an_argument_that_is_none_is_refused() -> None:
    problem = only("queues: {q: }\nexpect: {queues: {q: {arguments: {x-mesage-ttl: 1}}}}\n")
    assert (problem.code, problem.marked, problem.cure) == ("wrong-value", "x-mesage-ttl", "did you mean 'x-message-ttl'?")


# Runs of tasks -----------------------------------------------------------------------------------------------------------

TASKS = """
queues: {q: , r: }
tasks:
  t: {takes: 1s, ends: retry, countdown: 5s, max_retries: 1}
  late: {takes: 10s, acks: late}
workers: {w: {queues: q}, v: {queues: r, start: false}, u: {queues: r}}
steps:
  - publish: {routing_key: q, id: a, headers: {task: t, id: a}}
  - publish: {routing_key: r, id: b, headers: {task: late, id: b}}
  - publish: {routing_key: none, id: c, headers: {task: t, id: c}}
  - wait: 2s
  - worker: {name: v, do: start}
  - worker: {name: u, do: kill}
"""


@pytest.mark.parametrize(
    ("task", "wanted", "held"),
    [
        ("a", "started_at: [0, 6s]", True),
        ("a", "started_at: 6s", True),
        ("a", "started_at: 0", False),
        ("a", 'started_at: "> 5s"', True),
        ("a", 'started_at: "< 6s"', False),
        ("a", "started_at: [6s]", False),
        ("a", "ended_at: [1s, 7s]", True),
        ("a", "ended_at: 7s", True),
        ("a", "worker: w", True),
        ("a", "worker: [w, w]", True),
        ("a", "worker: [w]", False),
        ("b", "worker: [u, v]", True),
        ("b", "worker: v", True),
        ("b", "started_at: [0, 2s]", True),
        ("b", "ended_at: [12s]", True),  # the first run ended with its worker
        ("c", "started_at: []", True),
        ("c", "started_at: 0", False),
        ("c", "worker: w", False),
    ],
)
def test_when_and_where_a_task_ran(task: str, wanted: str, held: bool) -> None:
    assert checked(f"{TASKS}expect: {{tasks: {{{task}: {{{wanted}}}}}}}\n") == [held]


def test_an_instant_is_said_as_a_length_of_time() -> None:
    outcome = play(f'{TASKS}expect: {{tasks: {{a: {{started_at: ">= 7s", ended_at: [1500ms]}}}}}}\n')
    assert [(item["text"], item["actual"]) for item in outcome.result["expectations"]] == [
        ("tasks.a.started_at is >= 7 s", "6 s"),
        ("tasks.a.ended_at is [1.5 s]", ["1 s", "7 s"]),
    ]


@pytest.mark.parametrize(
    ("wanted", "marked"),
    [
        ("started_at: soon", "soon"),
        ('started_at: "> soon"', "> soon"),
        ("started_at: {a: 1}", "{"),
        ("worker: x", "x"),
        ("ended_at: [x]", "x"),
    ],
)
def test_runs_that_cannot_be_understood(wanted: str, marked: str) -> None:
    assert marked in only(f"{TASKS}expect: {{tasks: {{a: {{{wanted}}}}}}}\n").marked
