"""Scenarios with `broker: {kind: redis}`: each rule of kombu's Redis transport as somebody would write it down."""

import json
from typing import Any

import pytest
from kits.scenario import ok, only, play, routesim

REDIS = "broker: {kind: redis}\n"
SHORT = "broker: {kind: redis, visibility_timeout: 5s, restore_every: 1s}\n"
FOUR = "queues: {q: }\nconsumers: {a: {queue: q, prefetch: 4, on_message: hold}, b: {queue: q, start: false}}\n"


def test_a_killed_worker_s_message_comes_back_after_the_visibility_timeout() -> None:
    outcome = ok("""
broker: {kind: redis, visibility_timeout: 6s, restore_every: 1s}
queues: {q: }
consumers: {w1: {queue: q, on_message: hold}, w2: {queue: q}}
steps:
  - publish: {routing_key: q, id: t}
  - wait: 1s
  - crash: w1
  - expect: {queues: {q: {ready: 0, unacked: [t]}}, consumers: {w2: {delivered: 0}}}
expect: {consumers: {w2: {delivered: [t], redelivered: 1, acked: 1}}, lost: 0, ended: idle}
""")
    assert [event["at_ms"] for event in outcome.of("delivered")] == [0, 6000]


def test_nobody_sweeps_when_no_worker_lives() -> None:
    ok(f"""{SHORT}{FOUR}steps:
  - publish: {{routing_key: q}}
  - crash: a
  - wait: 1h
  - expect: {{queues: {{q: {{ready: 0, unacked: 1}}}}}}
  - consume: b
expect: {{consumers: {{b: {{delivered: [m1]}}}}}}
""")


def test_the_sweeps_come_every_restore_every_from_the_start_of_a_consumer() -> None:
    outcome = ok("""
broker: {kind: redis, visibility_timeout: 5s, restore_every: 3s}
queues: {q: }
consumers: {a: {queue: q, on_message: hold}, b: {queue: q, start: false}}
steps: [publish: {routing_key: q}, wait: 1s, consume: b, crash: a]
""")
    assert [event["at_ms"] for event in outcome.of("delivered")] == [0, 7000]


def test_by_default_a_message_comes_back_within_an_hour_and_100_s() -> None:
    outcome = ok("""
broker: {kind: redis}
queues: {q: }
consumers: {a: {queue: q, on_message: hold}, b: {queue: q, start: false}}
steps: [wait: 1s, publish: {routing_key: q}, wait: 1s, consume: b, crash: a]
""")
    assert [event["at_ms"] for event in outcome.of("delivered")] == [1000, 3_602_000]


def test_a_job_of_12_s_with_a_timeout_of_5_s_is_done_three_times_by_two_workers() -> None:
    outcome = play("""
broker: {kind: redis, visibility_timeout: 5s, restore_every: 1s}
queues: {q: }
consumers:
  w1: {queue: q, prefetch: 4, takes: 12s}
  w2: {queue: q, prefetch: 4, takes: 12s}
steps: [publish: {routing_key: q}]
""")
    assert [(event["consumer"], event["at_ms"]) for event in outcome.of("delivered")] == [("w1", 0), ("w2", 5000), ("w1", 10000)]
    assert "is no longer unacked: nothing happens" in str(outcome.of("warned"))


@pytest.mark.parametrize(
    ("verb", "by_a", "by_b"),
    [
        ("close: a", [], ["P-4", "P-3", "P-2", "P-1", "P-5"]),
        ("recover: {consumer: a}", ["P-4", "P-3", "P-2", "P-1"], ["P-5"]),
        ("crash: a", [], ["P-5", "P-4", "P-1", "P-2", "P-3"]),
    ],
)
def test_in_what_order_messages_come_back(verb: str, by_a: list[str], by_b: list[str]) -> None:
    """In good order: reversed, to the head. By the sweep: the newest to the one that waits, the others in their old order."""
    outcome = play(f"{SHORT}{FOUR}steps: [publish: {{routing_key: q, id: P, count: 5}}, {verb}, consume: b]\n")
    assert outcome.delivered("a")[4:] == by_a
    assert outcome.delivered("b") == by_b


@pytest.mark.parametrize("verb", ["reject: {consumer: a, message: R}", "nack: {consumer: a, message: R}"])
def test_what_is_given_back_goes_to_the_tail(verb: str) -> None:
    ok(f"""{REDIS}queues: {{q: }}
consumers: {{a: {{queue: q, prefetch: 1, on_message: hold}}}}
steps:
  - publish: {{routing_key: q, id: R}}
  - publish: {{routing_key: q, id: V}}
  - publish: {{routing_key: q, id: W}}
  - {verb}
  - ack: {{consumer: a, message: V}}
  - ack: {{consumer: a, message: W}}
expect: {{consumers: {{a: {{delivered: [R, V, W, R], redelivered: 1}}}}}}
""")


def test_zero_is_the_highest_priority_and_priority_beats_queue() -> None:
    ok(f"""{REDIS}queues: {{a: , b: }}
channels: {{w: {{connection: w}}}}
consumers: {{on_b: {{queue: b, channel: w, start: false}}, on_a: {{queue: a, channel: w, start: false, prefetch: 1}}}}
steps:
  - publish: {{routing_key: b, id: nine, priority: 9}}
  - publish: {{routing_key: b, id: five, priority: 5}}
  - publish: {{routing_key: b, id: three, priority: 3}}
  - publish: {{routing_key: a, id: none}}
  - expect: {{queues: {{b: {{ready: [five, three, nine]}}}}}}
  - consume: on_b
  - consume: on_a
""")


@pytest.mark.parametrize(("key", "pattern"), [("ship", "ship.#"), ("orders", "#.orders"), ("a.b", "a.#.b"), ("ship.", "ship.*")])
def test_four_keys_that_match_in_rabbitmq_and_not_here(key: str, pattern: str) -> None:
    topology = f"exchanges: {{t: topic}}\nqueues: {{q: }}\nbindings: [{{source: t, destination: q, routing_key: '{pattern}'}}]\n"
    sent = f"steps: [publish: {{exchange: t, routing_key: '{key}'}}]\nexpect: {{queues: {{q: {{ready: "
    ok(f"{topology}{sent}1}}}}}}")
    ok(f"{REDIS}{topology}{sent}0}}}}, lost: 1}}")


def test_fanout_stores_nothing_and_reaches_every_consumer_of_a_queue() -> None:
    ok(f"""{REDIS}exchanges: {{f: fanout}}
queues: {{news: }}
bindings: [{{source: f, destination: news}}]
consumers: {{a: {{queue: news, auto_ack: true, start: false}}, b: {{queue: news, auto_ack: true, start: false}}}}
steps:
  - publish: {{exchange: f, id: early}}
  - consume: a
  - consume: b
  - publish: {{exchange: f, id: now}}
  - publish: {{exchange: f, id: keyed, routing_key: k}}
expect: {{consumers: {{a: {{delivered: [now]}}, b: {{delivered: [now]}}}}, queues: {{news: {{ready: 0}}}}, lost: 2}}
""")


def test_basic_qos_counts_for_the_whole_channel() -> None:
    ok(f"""{REDIS}queues: {{q: , r: }}
channels: {{w: {{connection: w}}}}
consumers:
  a: {{queue: q, channel: w, prefetch: 2, on_message: hold}}
  b: {{queue: r, channel: w, on_message: hold}}
steps: [publish: {{routing_key: q, count: 3}}, publish: {{routing_key: r}}]
expect: {{consumers: {{a: {{delivered: 2}}, b: {{delivered: 0}}}}}}
""")


def test_who_has_waited_longest_is_next() -> None:
    ok(f"""{REDIS}queues: {{q: }}
consumers: {{a: {{queue: q}}, b: {{queue: q}}, c: {{queue: q, prefetch: 1, on_message: hold}}}}
steps: [publish: {{routing_key: q, count: 7}}]
expect: {{consumers: {{a: {{delivered: [m1, m4, m6]}}, b: {{delivered: [m2, m5, m7]}}, c: {{delivered: [m3]}}}}}}
""")


def test_the_copies_of_a_message_share_one_entry() -> None:
    """The acknowledgement of one is one of both: the copy of the other, whose worker dies, is lost."""
    outcome = ok(f"""{SHORT}exchanges: {{t: topic}}
queues: {{A: , B: }}
bindings: [{{source: t, destination: A, routing_key: '#'}}, {{source: t, destination: B, routing_key: '#'}}]
consumers: {{a: {{queue: A, on_message: hold}}, b: {{queue: B, on_message: hold}}}}
steps:
  - publish: {{exchange: t, routing_key: x}}
  - ack: {{consumer: a, message: m1}}
  - crash: b
  - wait: 1m
expect: {{lost: 1, queues: {{B: {{ready: 0, unacked: 0}}}}}}
""")
    assert [event["consumer"] for event in outcome.of("lost_by_consumer")] == ["b"]


MISSING = {
    "queues: {q: {arguments: {x-message-ttl: 5, x-dead-letter-exchange: d}}}": ["message TTL", "dead-letter exchanges"],
    "queues: {q: {type: quorum, arguments: {x-delivery-limit: 5}}}": ["queue types", "delivery limits"],
    "queues: {q: {exclusive: true, arguments: {x-max-priority: 5}}}": ["exclusive queues", "x-max-priority"],
    "exchanges: {h: headers}\nqueues: {q: }\nbindings: [{source: h, destination: q}]": ["exchanges of type headers"],
    "exchanges: {d: direct, e: direct}\nqueues: {q: }\nbindings: [{source: d, destination: e, destination_type: exchange}]": [
        "bindings between exchanges"
    ],
    "queues: {q: }\npolicies: [{name: p, pattern: q, definition: {message-ttl: 5}}]": ["policies"],
    "queues: {q: }\nsteps: [publish: {routing_key: q, expiration: '5', mandatory: true, count: 3}]": [
        "mandatory flag",
        "message TTL",
    ],
}


@pytest.mark.parametrize("text", MISSING)
def test_what_redis_lacks_is_said_once(text: str) -> None:
    said = [event["text"] for event in ok(REDIS + text).of("warned")]
    assert len(said) == len(MISSING[text])
    for expected in MISSING[text]:
        assert any(item.startswith(f"Redis has no {expected}") for item in said), said


def test_no_publish_is_confirmed_or_returned_and_any_queue_takes_a_message() -> None:
    outcome = ok(f"""{REDIS}queues: {{q: }}
steps:
  - publish: {{routing_key: elsewhere, mandatory: true}}
expect: {{returned: 0, nacked: 0, lost: 0}}
""")
    assert not outcome.of("confirmed", "returned")
    assert outcome.result["queues"]["elsewhere"]["ready"][0]["message"] == "m1"


def test_an_expiring_list_takes_its_messages_along() -> None:
    ok(f"""{REDIS}queues: {{q: {{arguments: {{x-expires: 1000}}}}}}
steps:
  - publish: {{routing_key: q, id: a}}
  - wait: 900ms
  - publish: {{routing_key: q, id: b, priority: 9}}
  - wait: 900ms
  - expect: {{queues: {{q: {{ready: [a, b]}}}}}}
  - wait: 1s
expect: {{queues: {{q: {{ready: 0}}}}, messages: {{a: {{q: 'dropped: expired'}}}}, lost: 2}}
""")


def test_no_run_waits_for_x_expires_as_on_rabbitmq() -> None:
    ok(f"""{REDIS}queues: {{q: {{arguments: {{x-expires: 1000}}}}}}
steps:
  - publish: {{routing_key: q, id: a}}
expect: {{queues: {{q: {{ready: [a]}}}}, lost: 0}}
""")


@pytest.mark.parametrize(("how", "left"), [("clean", ["m2"]), ("kill", [])])
def test_a_restart(how: str, left: list[str]) -> None:
    outcome = ok(f"""{SHORT}{FOUR.replace("prefetch: 4", "prefetch: 1")}steps:
  - publish: {{routing_key: q, count: 2}}
  - restart: {how}
  - expect: {{queues: {{q: {{ready: {len(left)}, unacked: {len(left)}}}}}}}
  - wait: 5s
  - consume: b
""")
    assert outcome.delivered("b") == (["m1", "m2"] if left else [])
    assert len(outcome.of("lost_at_restart")) == (0 if left else 2)


def test_the_result_says_which_broker_it_was() -> None:
    assert ok(REDIS + "queues: {q: }").result["broker"] == "redis"
    assert "broker" not in ok("queues: {q: }").result


@pytest.mark.parametrize(
    ("broker", "name"),
    [
        ("{visibility_timeout: 5s}", "visibility_timeout"), ("{kind: rabbitmq, queue_order: sorted}", "queue_order"),
        ("{kind: redis, consumer_timeout: 5s}", "consumer_timeout"), ("{kind: redis, max_message_size: 5}", "max_message_size"),
    ],
)  # fmt: skip
def test_a_setting_of_the_other_broker_is_an_error_with_a_cure(broker: str, name: str) -> None:
    problem = only(f"broker: {broker}\nqueues: {{q: }}\n")
    assert name in problem.message
    assert "write `kind:" in problem.cure


@pytest.mark.parametrize("steps", ["[3, 0]", "[0, 0]"])
def test_priority_steps_ascend(steps: str) -> None:
    assert "ascend" in only(f"broker: {{kind: redis, priority_steps: {steps}}}\nqueues: {{q: }}\n").message


def test_unknown_kinds_are_refused() -> None:
    problem: Any = only("broker: {kind: kafka}\nqueues: {q: }\n")
    assert "rabbitmq" in f"{problem.message} {problem.cure}"


def test_what_kombu_cannot_do_is_an_error_of_the_step() -> None:
    outcome = play(f"{REDIS}queues: {{q: }}\nsteps: [tx: {{channel: t, do: select}}]\n")
    assert outcome.result["errors"][0]["text"] == "kombu's Redis transport has no transactions"


@pytest.mark.parametrize(
    "command",
    [
        "diff FILE FILE", "export FILE", "explain route FILE q", "upgrade FILE --from 3.13",
    ],
)  # fmt: skip
def test_commands_that_know_rabbitmq_alone_say_so(command: str) -> None:
    outcome = routesim(*command.replace("FILE", "redis.yaml").split(), files={"redis.yaml": REDIS + "queues: {q: }\n"})
    assert outcome.status == 2
    assert "this command knows RabbitMQ's rules alone, and this scenario's broker is Redis" in outcome.err
    assert "`explain message`, `queue` and `task` know both" in outcome.err


def test_the_summary_names_the_rules_and_graph_draws() -> None:
    files: dict[str, str | bytes] = {"redis.yaml": REDIS + "queues: {q: }\n"}
    assert "rules of Redis with kombu" in routesim("run", "redis.yaml", files=files).out
    assert "queue q (list)" in routesim("graph", "redis.yaml", files=files).out


def test_a_celery_worker_does_a_late_task_of_12_s_three_times() -> None:
    """As recorded of celery 5.7 with visibility_timeout 5: received three times and executed three times, by two workers."""
    outcome = ok("""
broker: {kind: redis, visibility_timeout: 5s, restore_every: 1s}
queues: {q: }
tasks: {late: {takes: 12s, acks: late}}
workers: {w1: {queues: [q], prefetch: 4}, w2: {queues: [q], prefetch: 4}}
steps: [publish: {routing_key: q, id: t1, headers: {task: late, id: t1}}]
expect: {tasks: {t1: {runs: 3, state: SUCCESS}}, workers: {w1: {received: 2}, w2: {received: 1}}}
""")
    assert [event["at_ms"] for event in outcome.of("delivered")] == [0, 5000, 10000]


def test_check_takes_what_does_not_depend_on_the_broker() -> None:
    outcome = routesim("check", "redis.yaml", files={"redis.yaml": REDIS + "queues: {q: }\n"})
    assert outcome.status == 0
    assert "unused" not in outcome.err


EXPLAINED = """
broker: {kind: redis, visibility_timeout: 10s, restore_every: 1s}
celery:
  apps:
    shop:
      task_acks_late: true
      task_queues: {celery: {expires: 60, queue_arguments: {x-dead-letter-exchange: dlx}}, bc: {broadcast: true}}
  workers: {w1: {}, w2: {start: false, queues: [celery]}}
  tasks: {a: {takes: 2s}}
steps:
  - call: {task: a, id: a}
  - call: {task: a, id: b, priority: 5}
  - wait: 1s
  - worker: {name: w1, do: kill}
  - worker: {name: w2, do: start}
  - wait: 20s
  - worker: {name: w2, do: kill}
  - call: {task: a, id: c, priority: 7}
"""


def explained(*arguments: str) -> str:
    outcome = routesim("explain", *arguments, files={"redis.yaml": EXPLAINED})
    assert outcome.status == 0, outcome.err
    return outcome.out


def test_a_queue_is_explained_by_the_rules_of_redis() -> None:
    data = json.loads(explained("queue", "redis.yaml", "celery", "--format", "json"))
    assert [(each["name"], each["priorities"], each["ready"]) for each in data["lists"]] == [
        ("celery", [0, 1, 2], 0), (r"celery\x06\x163", [3, 4, 5], 0), (r"celery\x06\x166", [6, 7, 8], 1), (r"celery\x06\x169", [9], 0),
    ]  # fmt: skip
    assert [(each["exchange"], each["keys"]) for each in data["reached_by"]] == [("celery", ["celery"])]
    text = explained("queue", "redis.yaml", "celery")
    for said in (
        "not acknowledged within the visibility timeout, 10 s",
        "x-dead-letter-exchange  dlx    without effect  Redis has no dead-letter exchanges",
        "no publish and no get for 1 min (x-expires)",
    ):
        assert said in text
    assert "stores nothing" in explained("queue", "redis.yaml", "bcast.bc.w1")


def test_a_message_is_explained_there_with_its_visibility_timeout() -> None:
    text = explained("message", "redis.yaml", "a")
    assert "10.000  back in celery: visibility timeout by w1:celery" in text
    assert "hint: routesim explain task redis.yaml a tells what became of the task." in text


def test_a_queue_that_nobody_knows_on_redis_is_told() -> None:
    outcome = routesim("explain", "queue", "redis.yaml", "celerie", files={"redis.yaml": EXPLAINED})
    assert (outcome.status, "no queue 'celerie' is known; did you mean 'celery'?" in outcome.err) == (2, True)
