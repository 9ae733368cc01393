"""What rules of consumers publish, and the options of a consumer."""

import pytest
from kits.consumers import ONE, worked
from kits.scenario import ok, only, play, refused, routesim

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
