"""Consumers at work: how long they take, what they answer, which rule fits, what they publish."""

from typing import Any

import pytest
from kits.scenario import Outcome, ok, only, play, refused, routesim


def worked(on_message: str, steps: str, *, options: str = "", extra: str = "") -> Outcome:
    """One consumer `c` of `q` with these rules; `r` is another queue."""
    return play(f"""
queues: {{q: , r: }}
consumers:
  c: {{queue: q, {options}on_message: {on_message}}}
steps:
{steps}
{extra}
""")


ONE = "  - publish: {routing_key: q}\n"
TWO = "  - publish: {routing_key: q, count: 2}\n"

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


# Crashes -------------------------------------------------------------------------------------------------------------


def test_after_is_a_crash_in_mid_job() -> None:
    outcome = worked("[{attempt: 1, do: crash, after: 30ms, restart: 100ms}]", ONE, options="takes: 1s, ")
    assert [event["at_ms"] for event in outcome.of("connection_lost")] == [30]
    assert [event["at_ms"] for event in outcome.of("consumer_started")] == [0, 130]
    assert outcome.times("acked") == [(1130, "m1")]
    assert outcome.answers("c") == [("m1", "crash"), ("m1", "ack")]
    assert [item["redelivered"] for item in outcome.result["consumers"]["c"]["deliveries"]] == [False, True]


def test_without_after_a_crash_comes_at_the_end_of_the_job() -> None:
    outcome = worked("crash", ONE, options="takes: 1s, ")
    assert [event["at_ms"] for event in outcome.of("connection_lost")] == [1000]


def test_restart_brings_the_consumer_back() -> None:
    outcome = worked("[{attempt: 1, do: crash, restart: 5s}]", TWO)
    assert outcome.delivered("c") == ["m1", "m1", "m2", "m2"]
    assert outcome.result["clock_ms"] == 10_000, "each message crashes it once"
    assert outcome.result["counts"]["acked"] == 2


def test_tags_start_at_1_after_the_crash() -> None:
    outcome = worked("[{message: m2, attempt: 1, do: crash, restart: 1s}]", TWO)
    assert [(item["message"], item["delivery_tag"]) for item in outcome.result["consumers"]["c"]["deliveries"]] == [
        ("m1", 1), ("m2", 2), ("m2", 1),
    ]  # fmt: skip


def test_what_was_at_hand_when_it_crashed_is_not_finished_in_the_next_life() -> None:
    outcome = worked(
        "[{message: m2, attempt: 1, do: crash, after: 10ms, restart: 10ms}]", TWO, options="takes: 100ms, concurrency: 2, "
    )
    assert outcome.times("acked") == [(120, "m1"), (120, "m2")]


LOSES_ITS_CHANNEL = {
    "cancelled, then crashed": "  - cancel: c\n  - crash: c\n",
    "cancelled, then closed": "  - cancel: c\n  - close: c\n",
    "cancelled, then its channel is closed by an error": "  - cancel: c\n  - get: {queue: none, channel: CHANNEL}\n    fails: 404\n",
    "crashed at once": "  - crash: c\n",
    "its channel is closed by an error": "  - get: {queue: none, channel: CHANNEL}\n    fails: 404\n",
}


@pytest.mark.parametrize("loses", LOSES_ITS_CHANNEL.values(), ids=LOSES_ITS_CHANNEL)
@pytest.mark.parametrize("channel", ["c", "line"], ids=["a channel of its own", "a named channel"])
def test_what_a_consumer_has_in_hand_is_answered_no_more_when_its_channel_is_gone(loses: str, channel: str) -> None:
    """Whether it consumed still or had been cancelled: tags of the old channel mean nothing, or other messages, on the next."""
    extra = "" if channel == "c" else f"channel: {channel}, "
    outcome = worked(
        "[{takes: 1s}]",
        "  - publish: {routing_key: q, count: 3}\n  - wait: 1500ms\n"
        + loses.replace("CHANNEL", channel)
        + "  - consume: c\n  - expect: {queues: {q: {ready: 0, unacked: [m2, m3]}}}\n  - wait: 900ms\n"
        "  - expect: {queues: {q: {ready: 0, unacked: [m2, m3]}}}\n",
        options=f"{extra}prefetch: 3, ",
    )
    assert outcome.status == 0, outcome.result["expectations"]
    assert outcome.times("acked") == [(1000, "m1"), (2500, "m2"), (3500, "m3")]


def test_a_consumer_whose_queue_was_deleted_answers_no_more_when_it_crashes() -> None:
    outcome = worked(
        "[{takes: 1s}]",
        "  - publish: {routing_key: q, count: 2}\n  - wait: 100ms\n  - delete: {queue: q}\n  - crash: c\n  - wait: 5s\n",
    )
    assert (outcome.status, outcome.times("acked"), outcome.result["errors"]) == (0, [], [])


def test_a_cancelled_consumer_goes_on_with_what_it_has_in_hand_as_long_as_its_channel_is_there() -> None:
    outcome = worked(
        "[{takes: 1s}]",
        "  - publish: {routing_key: q, count: 2}\n  - wait: 100ms\n  - cancel: c\n  - publish: {routing_key: q, id: late}\n",
    )
    assert outcome.times("acked") == [(1000, "m1"), (2000, "m2")]
    assert outcome.ready("q") == ["late"]


def test_a_cancelled_consumer_without_acknowledgement_loses_what_it_works_on_when_it_crashes() -> None:
    steps = "  - publish: {routing_key: q, count: 2}\n  - wait: 100ms\n  - cancel: c\n  - crash: c\n"
    outcome = worked("[{takes: 1s}]", steps, options="auto_ack: true, ")
    assert outcome.answers("c") == [("m1", "crash"), ("m2", "crash")]
    assert outcome.result["counts"]["lost"] == 2


@pytest.mark.parametrize("rule", ["{do: ack, after: 1s}", "{restart: 1s}", "{do: hold, restart: 1s}"])
def test_after_and_restart_belong_to_a_crash(rule: str) -> None:
    problem = only(f"queues: {{q: }}\nconsumers:\n  c:\n    queue: q\n    on_message:\n      - {rule}\n")
    assert "crash" in problem.message
    assert problem.line == 6, "the rule is at fault, and a consumer may have many"


def test_on_message_crash_with_takes_zero_and_restart_zero_is_a_livelock() -> None:
    outcome = worked("[{do: crash, restart: 0ms}]", ONE)
    assert (outcome.status, outcome.result["ended"]) == (1, "livelock")


# auto_ack ------------------------------------------------------------------------------------------------------------


def test_with_auto_ack_nothing_is_sent_back() -> None:
    outcome = worked(
        "[{message: m1, takes: 1s}, {message: m2, do: hold}]",
        "  - publish: {routing_key: q, count: 3}\n",
        options="auto_ack: true, ",
    )
    assert outcome.answers("c") == [("m1", "auto"), ("m2", "auto"), ("m3", "auto")]
    assert outcome.result["counts"]["acked"] == 3
    assert outcome.result["clock_ms"] == 1000


def test_with_auto_ack_a_crash_loses_what_it_was_working_on() -> None:
    outcome = worked(
        "[{message: m2, do: crash, after: 5ms}]",
        "  - publish: {routing_key: q, count: 3}\n",
        options="auto_ack: true, takes: 10ms, ",
    )
    assert outcome.answers("c") == [("m1", "auto"), ("m2", "crash"), ("m3", "crash")]
    assert outcome.result["counts"]["lost"] == 2
    assert outcome.ready("q") == []


def test_with_auto_ack_a_rule_publishes_all_the_same() -> None:
    outcome = worked("[{publish: {routing_key: r}}]", ONE, options="auto_ack: true, ")
    assert outcome.ready("r") == ["c-1"]


@pytest.mark.parametrize("on_message", ["reject", "requeue", "[{attempt: 1, do: requeue}]", "[{message: m1}, {do: reject}]"])
def test_with_auto_ack_reject_and_requeue_are_status_2(on_message: str) -> None:
    problem = only(f"queues: {{q: }}\nconsumers:\n  c:\n    queue: q\n    auto_ack: true\n    on_message: {on_message}\n")
    assert problem.cure
    assert "auto_ack" in problem.message + problem.cure
    assert problem.line in (5, 6), "auto_ack or the answer is at fault"


# What rules publish --------------------------------------------------------------------------------------------------


def test_a_message_is_published_before_the_answer() -> None:
    outcome = worked("[{takes: 10ms, publish: {routing_key: r}}]", ONE)
    kinds = [event["event"] for event in outcome.of("published", "acked")]
    assert kinds == ["published", "published", "acked"]
    assert outcome.times("published") == [(0, "m1"), (10, "c-1")]


def test_before_a_crash_too() -> None:
    outcome = worked("[{do: crash, publish: {routing_key: r}}]", ONE)
    assert outcome.ready("r") == ["c-1"]


@pytest.mark.parametrize("field", ["routing_key", "correlation_id"])
def test_what_placeholders_make_too_long_is_not_published(field: str) -> None:
    """A name that grows with each round ends where AMQP cannot carry it: 255 bytes."""
    outcome = play(f"""
exchanges: {{t: topic}}
queues: {{q: }}
bindings: [{{source: t, destination: q, routing_key: "#"}}]
consumers:
  c: {{queue: q, takes: 1ms, on_message: [{{publish: {{exchange: t, {field}: "${field}éé{"x" * 60}"}}}}]}}
steps:
  - publish: {{exchange: t, {field}: {"a" * 63}}}
  - wait: 1s
""")
    assert [item["text"] for item in outcome.result["errors"]] == [
        f"no client can publish this: {field} has {63 + 4 * 64} bytes, and AMQP carries 255 at most"
    ]
    totals = outcome.result["counts"]
    assert (totals["published"], totals["failed"]) == (5, 1)


def test_the_placeholders_stand_for_the_deliverys() -> None:
    outcome = ok("""
rabbitmq: "4.1"
queues: {q: , back: , r: }
exchanges: {t: topic}
bindings: [{source: t, destination: r, routing_key: "#"}]
consumers:
  c:
    queue: q
    on_message:
      - publish:
          - {routing_key: $reply_to, body: $body, correlation_id: $correlation_id, headers: {n: $attempt, k: $routing_key}}
          - {exchange: t, routing_key: "$routing_key.$attempt.$correlation_id"}
        attempt: 1
        do: requeue
      - {publish: {exchange: t, routing_key: "again.$attempt"}}
steps:
  - publish: {routing_key: q, reply_to: back, correlation_id: id7, body: hello}
""")
    (back,) = outcome.result["queues"]["back"]["ready"]
    assert back["headers"] == {"n": "1", "k": "q"}
    assert [item["routing_key"] for item in outcome.result["queues"]["r"]["ready"]] == ["q.1.id7", "again.2"]


def test_what_a_placeholder_stands_for_is_not_looked_at_again() -> None:
    outcome = worked(
        "[{publish: {routing_key: r, headers: {x: $body}}}]", "  - publish: {routing_key: q, body: $attempt$routing_key}\n"
    )
    assert outcome.result["queues"]["r"]["ready"][0]["headers"] == {"x": "$attempt$routing_key"}


def test_dollars_that_are_no_placeholders_stay() -> None:
    outcome = worked(
        "[{publish: {routing_key: r, headers: {x: '$5 $bod $$body $'}}}]", "  - publish: {routing_key: q, body: B}\n"
    )
    assert outcome.result["queues"]["r"]["ready"][0]["headers"] == {"x": "$5 $bod $B $"}


def test_missing_properties_are_empty() -> None:
    outcome = worked("[{publish: {exchange: amq.fanout, routing_key: 'a$reply_to-$correlation_id-'}}]", ONE)
    assert outcome.result["messages"]["c-1"]["routing_key"] == "a--"


def test_headers_copy_carries_the_deliverys_headers_over() -> None:
    outcome = worked(
        "[{publish: {routing_key: r, headers: copy}}]",
        "  - publish: {routing_key: q, headers: {a: 1, b: [x], c: {d: {long: 2}}}}\n",
    )
    assert outcome.result["queues"]["r"]["ready"][0]["headers"] == {"a": 1, "b": ["x"], "c": {"d": 2}}


def test_a_rule_publishes_with_the_fields_of_a_publish_step() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers:
  c:
    queue: q
    on_message:
      - publish: {routing_key: nowhere, mandatory: true, priority: 3, expiration: 5000, delivery_mode: 1, type: t, app_id: a, headers: {CC: [r]}}
steps:
  - publish: {routing_key: q}
until: steps
""")
    assert outcome.result["queues"]["r"]["ready"][0]["expiration"] == "5000"


def test_several_messages_are_published_in_their_order() -> None:
    outcome = worked("[{publish: [{routing_key: r}, {routing_key: r, count: 2}, {routing_key: r, id: x}]}]", ONE)
    assert outcome.ready("r") == ["c-1", "c-2", "c-3", "x-1"]


def test_an_exchange_that_no_rule_can_reach() -> None:
    """The exchange of a publish that nothing declares is status 2, in a rule as in a step."""
    problem = only("""
exchanges: {shop: fanout}
queues: {q: }
consumers: {c: {queue: q, on_message: [{publish: {exchange: shpo}}]}}
""")
    assert (problem.line, problem.marked) == (4, "shpo")
    assert "shop" in problem.cure


# Options -------------------------------------------------------------------------------------------------------------


def test_priority_is_x_priority() -> None:
    outcome = ok("""
queues: {q: }
consumers:
  low: {queue: q, prefetch: 1, on_message: hold}
  high: {queue: q, prefetch: 1, priority: 5, on_message: hold}
steps:
  - publish: {routing_key: q}
""")
    assert (outcome.delivered("low"), outcome.delivered("high")) == ([], ["m1"])


def test_an_exclusive_consumer_is_the_only_one() -> None:
    ok("""
queues: {q: }
consumers: {c: {queue: q, exclusive: true}, d: {queue: q, start: false}}
steps:
  - {consume: d, fails: 403}
""")
    problem = only("queues: {q: }\nconsumers:\n  c: {queue: q, exclusive: true}\n  d: {queue: q}\n")
    assert (problem.line, problem.code) == (4, "refused")


def test_start_false_waits_for_a_consume_step() -> None:
    outcome = ok("""
queues: {q: }
consumers: {c: {queue: q, start: false}, never: {queue: q, start: false}}
steps:
  - publish: {routing_key: q}
  - wait: 1s
  - consume: c
""")
    assert outcome.times("delivered") == [(1000, "m1")]
    assert outcome.result["consumers"]["never"] == {"queue": "q", "deliveries": []}


def test_a_stream_has_an_offset() -> None:
    outcome = ok("""
queues: {log: {type: stream}}
consumers:
  all: {queue: log, prefetch: 10, start: false, arguments: {x-stream-offset: first}}
  late: {queue: log, prefetch: 10, start: false}
steps:
  - publish: {routing_key: log, count: 2}
  - consume: all
  - consume: late
  - publish: {routing_key: log}
""")
    assert (outcome.delivered("all"), outcome.delivered("late")) == (["m1", "m2", "m3"], ["m3"])


@pytest.mark.parametrize(
    ("options", "marked"),
    [
        ("{queue: q, prefetch: -1}", "-1"), ("{queue: q, prefetch: 65536}", "65536"), ("{queue: q, concurrency: 0}", "0"),
        ("{queue: q, on_message: nack}", "nack"), ("{queue: q, on_message: [{do: drop}]}", "drop"),
        ("{queue: q, on_message: [{do: ack, atempt: 1}]}", "atempt"), ("{queue: q, on_message: [{chance: 1.5}]}", "1.5"),
        ("{queue: q, on_message: [{chance: often}]}", "often"), ("{queue: q, on_message: [{attempt: first}]}", "first"),
        ('{queue: q, on_message: [{attempt: "=> 2"}]}', '"=> 2"'), ("{queue: q, on_message: [ack]}", "ack"),
        ("{queue: q, on_message: {do: ack}}", "{"), ("{queue: q, pefetch: 1}", "pefetch"), ("{queue: q, priority: high}", "high"),
        ("{queue: q, on_message: [{publish: {every: 1s}}]}", "every"), ("{queue: q, on_message: [{publish: {headers: cpy}}]}", "cpy"),
        ("{queue: q, takes: forever}", "forever"), ("{queue: q, start: later}", "later"), ("{prefetch: 1}", "{"), ("[q]", "["), ("q", "q"),
    ],
)  # fmt: skip
def test_consumers_that_cannot_be_understood(options: str, marked: str) -> None:
    problem = only(f"queues: {{q: }}\nconsumers:\n  c: {options}\n")
    assert (problem.line, problem.marked) == (3, marked)


def test_every_mistake_in_a_list_of_rules_is_told() -> None:
    problems = refused("""queues: {q: }
consumers:
  c:
    queue: q
    on_message:
      - {do: drop}
      - {attempt: first, do: requeu}
      - {chanse: 0.5}
""")
    assert [(problem.line, problem.marked) for problem in problems] == [(6, "drop"), (7, "first"), (7, "requeu"), (8, "chanse")]
    assert "requeue" in problems[2].cure
    assert "chance" in problems[3].cure


def test_two_consumers_with_the_same_rules_are_two_consumers() -> None:
    """A rule can be shared by an anchor."""
    outcome = routesim("run", "s.yaml", "-f", "json", files={"s.yaml": """
queues: {q: , r: }
consumers:
  a: {queue: q, on_message: &rules [{attempt: 1, do: requeue}]}
  b: {queue: r, on_message: *rules}
steps:
  - publish: {routing_key: q}
  - publish: {routing_key: r}
"""})  # fmt: skip
    assert outcome.answers("a") == [("m1", "requeue"), ("m1", "ack")]
    assert outcome.answers("b") == [("m2", "requeue"), ("m2", "ack")]
