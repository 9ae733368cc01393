"""Consumers at work: how long they take, what they answer, which rule fits."""

from typing import Any

import pytest
from kits.consumers import ONE, TWO, worked
from kits.scenario import ok, only, play

# Answers -------------------------------------------------------------------------------------------------------------


def test_a_consumer_acks_at_once_unless_it_says_otherwise() -> None:
    outcome = ok("queues: {q: }\nconsumers: {c: {queue: q}}\nsteps:\n  - publish: {routing_key: q, count: 3}\n")
    assert outcome.answers("c") == [("m1", "ack"), ("m2", "ack"), ("m3", "ack")]
    assert outcome.result["clock_ms"] == 0


@pytest.mark.parametrize(
    ("answer", "answers", "ready", "unacked"),
    [
        ("ack", [("m1", "ack")], [], 0),
        ("reject", [("m1", "reject")], [], 0),
        ("hold", [("m1", None)], [], 1),
        ("crash", [("m1", "crash")], ["m1"], 0),
    ],
)
def test_the_answers(answer: str, answers: list[Any], ready: list[str], unacked: int) -> None:
    outcome = worked(answer, ONE)
    assert outcome.answers("c") == answers
    assert outcome.ready("q") == ready
    assert len(outcome.result["queues"]["q"]["unacked"]) == unacked
    assert outcome.status == 0


def test_reject_is_without_requeue_and_requeue_is_a_nack() -> None:
    outcome = worked("[{attempt: 1, do: requeue}, {do: reject}]", ONE)
    assert outcome.answers("c") == [("m1", "requeue"), ("m1", "reject")]
    assert [event["why"] for event in outcome.of("requeued")] == ["nack"]
    assert outcome.result["counts"]["dropped"] == 1


def test_a_crash_without_restart_is_the_end_of_the_consumer() -> None:
    outcome = worked("crash", TWO)
    assert outcome.delivered("c") == ["m1"]
    assert outcome.ready("q") == ["m1", "m2"]
    assert [event["event"] for event in outcome.of("connection_lost", "consumer_started")] == [
        "consumer_started",
        "connection_lost",
    ]


# Rules -----------------------------------------------------------------------------------------------------------------


def test_the_first_rule_that_fits_wins_and_when_none_fits_it_is_ack() -> None:
    outcome = worked(
        "[{message: m1, do: reject}, {message: m1, do: hold}, {message: m2, do: hold}]",
        "  - publish: {routing_key: q, count: 3}\n",
    )
    assert outcome.answers("c") == [("m1", "reject"), ("m2", None), ("m3", "ack")]


def test_an_empty_list_of_rules_is_ack() -> None:
    assert worked("[]", ONE).answers("c") == [("m1", "ack")]


def test_a_rule_without_do_acks() -> None:
    assert worked("[{message: m1, takes: 1s}, {do: reject}]", TWO).answers("c") == [("m1", "ack"), ("m2", "reject")]


def test_all_conditions_of_a_rule_must_hold() -> None:
    steps = "  - publish: {routing_key: q, headers: {kind: a}}\n  - publish: {routing_key: q, headers: {kind: b}}\n"
    outcome = worked("[{message: m2, headers: {kind: a}, do: reject}, {message: m2, headers: {kind: b}, do: hold}]", steps)
    assert outcome.answers("c") == [("m1", "ack"), ("m2", None)]


@pytest.mark.parametrize(
    ("pattern", "keys"),
    [
        ("*.boots", ["ship.boots"]),
        ("ship.#", ["ship.boots", "ship", "ship.x.y"]),
        ("#", ["ship.boots", "ship", "ship.x.y", ""]),
        ("ship", ["ship"]),
        ('""', [""]),
    ],
)
def test_routing_key_is_a_topic_pattern(pattern: str, keys: list[str]) -> None:
    published = ["ship.boots", "ship", "ship.x.y", ""]
    steps = "".join(f'  - publish: {{exchange: amq.fanout, routing_key: "{key}"}}\n' for key in published)
    outcome = play(f"""
queues: {{q: }}
bindings: [{{source: amq.fanout, destination: q}}]
consumers: {{c: {{queue: q, on_message: [{{routing_key: {pattern if pattern.startswith('"') else f'"{pattern}"'}, do: reject}}]}}}}
steps:
{steps}""")
    rejected = [published[int(message[1:]) - 1] for message, answer in outcome.answers("c") if answer == "reject"]
    assert rejected == keys


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ("{a: 1}", True), ("{a: 1, b: x}", True), ("{a: 2}", False), ("{a: 1, c: 1}", False), ('{a: "1"}', False), ("{a: {long: 1}}", True),
        ("{n: null}", True), ("{t: true}", True), ("{t: 1}", False), ("{}", True), ("{c: null}", False),
    ],
)  # fmt: skip
def test_headers_are_compared_by_value(wanted: str, fits: bool) -> None:
    steps = "  - publish: {routing_key: q, headers: {a: 1, b: x, n: null, t: true}}\n"
    outcome = worked(f"[{{headers: {wanted}, do: reject}}]", steps)
    assert outcome.answers("c") == [("m1", "reject" if fits else "ack")]


def test_headers_of_the_delivery_count_also_those_that_rabbitmq_added() -> None:
    outcome = ok("""
queues:
  work: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: q}}
  q:
consumers:
  w: {queue: work, on_message: reject}
  c: {queue: q, on_message: [{headers: {x-first-death-reason: rejected}, do: reject}]}
steps:
  - publish: {routing_key: work}
  - publish: {routing_key: q}
""")
    assert outcome.answers("c") == [("m1", "reject"), ("m2", "ack")]


def test_redelivered_is_the_flag_of_the_delivery() -> None:
    outcome = worked("[{redelivered: false, do: requeue}, {redelivered: true, do: reject}]", ONE)
    assert outcome.answers("c") == [("m1", "requeue"), ("m1", "reject")]


@pytest.mark.parametrize(
    ("attempt", "deliveries"),
    [("1", 2), ('"< 4"', 4), ('"<= 3"', 4), ('"!= 5"', 5), ('">= 1"', None), ('"== 1"', 2)],
)
def test_attempt_is_the_messages_nth_delivery_to_this_consumer(attempt: str, deliveries: int | None) -> None:
    outcome = worked(f"[{{attempt: {attempt}, do: requeue}}]", TWO)
    if deliveries is None:
        assert outcome.result["ended"] == "livelock"
    else:
        assert [outcome.delivered("c").count(message) for message in ("m1", "m2")] == [deliveries, deliveries]


def test_attempts_are_counted_for_each_consumer_by_itself() -> None:
    outcome = ok("""
queues: {q: }
consumers:
  a: {queue: q, prefetch: 1, on_message: [{attempt: 1, do: requeue}, {do: hold}]}
  b: {queue: q, prefetch: 1, on_message: [{attempt: 1, do: requeue}, {do: hold}]}
steps:
  - publish: {routing_key: q, count: 2}
""")
    for name in ("a", "b"):
        assert [answer for _, answer in outcome.answers(name)].count(None) == 1


def test_a_delivery_that_was_lost_before_its_turn_was_an_attempt() -> None:
    """m2 waits behind m1 when the consumer crashes: its next delivery is the second one to this consumer."""
    outcome = worked(
        "[{message: m1, attempt: 1, do: crash, restart: 10ms}, {message: m2, attempt: 2, do: reject}]",
        TWO,
        options="takes: 100ms, ",
    )
    assert outcome.delivered("c") == ["m1", "m2", "m1", "m2"]
    assert outcome.answers("c")[-1] == ("m2", "reject")


def test_a_condition_on_the_message() -> None:
    outcome = worked(
        "[{message: boots, do: reject}]", "  - publish: {routing_key: q, id: boots}\n  - publish: {routing_key: q}\n"
    )
    assert outcome.answers("c") == [("boots", "reject"), ("m2", "ack")]


def test_chance_0_never_and_chance_1_always() -> None:
    steps = "  - publish: {routing_key: q, count: 200}\n"
    assert {answer for _, answer in worked("[{chance: 0, do: reject}]", steps).answers("c")} == {"ack"}
    assert {answer for _, answer in worked("[{chance: 1, do: reject}]", steps).answers("c")} == {"reject"}


def rejected(seed: str, chance: str = "0.3") -> list[int]:
    outcome = play(f"""
seed: {seed}
queues: {{q: }}
consumers: {{c: {{queue: q, on_message: [{{chance: {chance}, do: reject}}]}}}}
steps:
  - publish: {{routing_key: q, count: 1000}}
""")
    return [index for index, (_, answer) in enumerate(outcome.answers("c")) if answer == "reject"]


def test_chance_is_drawn_from_the_seed() -> None:
    assert rejected("7") == rejected("7")
    assert rejected("7") != rejected("8")
    assert 220 <= len(rejected("7")) <= 380


def test_the_seed_is_0_by_default_and_can_be_given_on_the_command_line() -> None:
    text = "queues: {q: }\nconsumers: {c: {queue: q, on_message: [{chance: 0.5, do: reject}]}}\nsteps: [{publish: {routing_key: q, count: 64}}]\n"
    plain = ok(text).answers("c")
    assert ok(f"seed: 0\n{text}").answers("c") == plain
    assert ok(text, "--seed", "0").answers("c") == plain
    assert ok(text, "--seed", "1").answers("c") != plain
    assert ok(f"seed: 9\n{text}", "--seed", "0").answers("c") == plain


def test_two_consumers_draw_different_lots() -> None:
    outcome = ok("""
exchanges: {f: fanout}
queues: {q: , r: }
bindings: [{source: f, destination: q}, {source: f, destination: r}]
consumers:
  a: {queue: q, on_message: [{chance: 0.5, do: reject}]}
  b: {queue: r, on_message: [{chance: 0.5, do: reject}]}
steps:
  - publish: {exchange: f, count: 64}
""")
    assert outcome.answers("a") != outcome.answers("b")


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", '"7"', "[7]", "99999999999999999999999999"])
def test_a_seed_is_a_whole_number(seed: str) -> None:
    problem = only(f"seed: {seed}\nqueues: {{q: }}\n")
    assert (problem.line, problem.column) == (1, 7)


# Time ----------------------------------------------------------------------------------------------------------------


def test_takes_is_how_long_a_job_takes_one_after_the_other() -> None:
    outcome = worked("ack", "  - publish: {routing_key: q, count: 3}\n", options="takes: 200ms, ")
    assert outcome.times("acked") == [(200, "m1"), (400, "m2"), (600, "m3")]
    assert [at_ms for at_ms, _ in outcome.times("delivered")] == [0, 0, 0], "without a prefetch all are sent at once"


def test_with_prefetch_1_the_next_is_sent_after_the_answer() -> None:
    outcome = worked("ack", "  - publish: {routing_key: q, count: 3}\n", options="takes: 200ms, prefetch: 1, ")
    assert outcome.times("delivered") == [(0, "m1"), (200, "m2"), (400, "m3")]


def test_concurrency_is_the_number_of_messages_worked_on_at_once() -> None:
    outcome = worked("ack", "  - publish: {routing_key: q, count: 5}\n", options="takes: 1s, concurrency: 2, ")
    assert outcome.times("acked") == [(1000, "m1"), (1000, "m2"), (2000, "m3"), (2000, "m4"), (3000, "m5")]


def test_a_rule_has_its_own_takes() -> None:
    outcome = worked(
        "[{message: m1, takes: 50ms}, {message: m2, takes: 0}]",
        "  - publish: {routing_key: q, count: 3}\n",
        options="takes: 1s, ",
    )
    assert outcome.times("acked") == [(50, "m1"), (50, "m2"), (1050, "m3")]


def test_many_messages_wait_behind_a_slow_one() -> None:
    outcome = worked("[{message: m1, takes: 1s}]", "  - publish: {routing_key: q, count: 3000}\n")
    assert outcome.result["counts"]["acked"] == 3000
    assert outcome.result["clock_ms"] == 1000


def test_hold_takes_no_hand_away() -> None:
    """A message that is held waits for a step's answer; the consumer goes on with the next one."""
    outcome = worked("[{message: m1, do: hold}]", TWO + "  - ack: {consumer: c, message: m1}\n")
    assert outcome.result["counts"]["acked"] == 2
