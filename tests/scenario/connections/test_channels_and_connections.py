"""Who shares a channel with whom, and what can be wrong with channels."""

import pytest
from kits.scenario import ok, only, play, refused

# Consumers and their channels ----------------------------------------------------------------------------------------


def test_each_consumer_has_a_channel_of_its_own_with_its_name() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers: {a: {queue: q, on_message: hold}, b: {queue: r, on_message: hold}}
steps:
  - publish: {routing_key: q}
  - publish: {routing_key: r}
""")
    assert [(item["consumer"], item["channel"], item["delivery_tag"]) for item in outcome.of("delivered")] == [
        ("a", "a", 1), ("b", "b", 1),
    ]  # fmt: skip
    (held,) = outcome.result["queues"]["q"]["unacked"]
    assert held == {"message": "m1", "consumer": "a", "channel": "a", "delivery_tag": 1, "redelivered": False}


def test_a_crash_of_one_consumer_leaves_the_others_alone() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers: {a: {queue: q, on_message: hold}, b: {queue: r, on_message: hold}}
steps:
  - publish: {routing_key: q}
  - publish: {routing_key: r}
  - crash: a
expect:
  queues: {q: {ready: [m1], unacked: 0}, r: {unacked: [m2]}}
""")
    (lost,) = outcome.of("connection_lost")
    assert (lost["connection"], lost["channels"]) == ("a", ["a"])


def test_consumers_on_one_channel_share_its_tags() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers:
  a: {queue: q, channel: both, on_message: hold}
  b: {queue: r, channel: both, on_message: hold}
steps:
  - publish: {routing_key: q}
  - publish: {routing_key: r}
""")
    assert [(item["consumer"], item["channel"], item["delivery_tag"]) for item in outcome.of("delivered")] == [
        ("a", "both", 1), ("b", "both", 2),
    ]  # fmt: skip


def test_the_crash_of_a_consumer_takes_those_on_its_connection_along() -> None:
    ok("""
queues: {q: , r: , s: }
channels: {one: {connection: house}, two: {connection: house}}
consumers:
  a: {queue: q, channel: one, on_message: hold}
  b: {queue: r, channel: two, on_message: hold}
  c: {queue: s, on_message: hold}
steps:
  - publish: {routing_key: q}
  - publish: {routing_key: r}
  - publish: {routing_key: s}
  - crash: a
expect:
  queues: {q: {ready: 1}, r: {ready: 1}, s: {unacked: 1}}
""")


def test_a_channel_can_be_crashed_by_name() -> None:
    ok("""
queues: {q: }
steps:
  - publish: {routing_key: q}
  - get: {queue: q, channel: reader}
  - crash: reader
  - get: {queue: q, channel: reader}
expect: {queues: {q: {unacked: [m1]}}}
""")


def test_crashing_what_is_not_there_is_an_error() -> None:
    problem = only("queues: {q: }\nconsumers: {packer: {queue: q}}\nsteps:\n  - crash: paker\n")
    assert (problem.line, problem.marked) == (4, "paker")
    assert "packer" in problem.cure


def test_the_prefetch_of_a_channel_is_for_all_on_it() -> None:
    """basic.qos(global=true) when the channel opens."""
    outcome = ok("""
rabbitmq: "3.13"
queues: {q: , r: }
channels: {both: {prefetch: 2}}
consumers:
  a: {queue: q, channel: both, on_message: hold}
  b: {queue: r, channel: both, on_message: hold}
steps:
  - publish: {routing_key: q, count: 3}
  - publish: {routing_key: r, count: 3}
""")
    assert len(outcome.of("delivered")) == 2


def test_the_prefetch_of_a_consumer_is_its_own() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers:
  a: {queue: q, channel: both, prefetch: 1, on_message: hold}
  b: {queue: r, channel: both, prefetch: 2, on_message: hold}
steps:
  - publish: {routing_key: q, count: 3}
  - publish: {routing_key: r, count: 3}
""")
    assert (outcome.delivered("a"), outcome.delivered("b")) == (["m1"], ["m4", "m5"])


def test_the_prefetch_of_a_consumer_holds_for_consumers_to_come_on_its_channel() -> None:
    """basic.qos(global=false) is sent before its basic.consume and stays in force for the next one, which sends none."""
    outcome = ok("""
queues: {q: , r: }
consumers:
  a: {queue: q, channel: both, prefetch: 1, on_message: hold}
  b: {queue: r, channel: both, on_message: hold}
steps:
  - publish: {routing_key: q, count: 3}
  - publish: {routing_key: r, count: 3}
""")
    assert (outcome.delivered("a"), outcome.delivered("b")) == (["m1"], ["m4"])


def test_the_prefetch_of_a_consumer_switches_a_global_limit_off() -> None:
    outcome = ok("""
rabbitmq: "3.13"
queues: {q: , r: }
channels: {both: {prefetch: 1}}
consumers:
  a: {queue: q, channel: both, on_message: hold}
  b: {queue: r, channel: both, prefetch: 2, on_message: hold}
steps:
  - publish: {routing_key: q, count: 3}
  - publish: {routing_key: r, count: 3}
""")
    assert (len(outcome.delivered("a")), len(outcome.delivered("b"))) == (3, 2)


def test_prefetch_0_is_no_limit_and_the_default() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers: {a: {queue: q, on_message: hold}, b: {queue: r, prefetch: 0, on_message: hold}}
steps:
  - publish: {routing_key: q, count: 300}
  - publish: {routing_key: r, count: 300}
""")
    assert (len(outcome.delivered("a")), len(outcome.delivered("b"))) == (300, 300)


def test_consumers_start_in_the_order_of_the_file_before_the_first_step() -> None:
    outcome = ok("""
queues: {q: }
consumers: {zebra: {queue: q}, ant: {queue: q}}
steps:
  - publish: {routing_key: q, count: 2}
""")
    assert [event["consumer"] for event in outcome.of("consumer_started")] == ["zebra", "ant"]
    kinds = [event["event"] for event in outcome.events]
    assert kinds.index("consumer_started") < kinds.index("step")
    assert (outcome.delivered("zebra"), outcome.delivered("ant")) == (["m1"], ["m2"])


def test_two_consumers_of_one_name_on_one_channel() -> None:
    assert only("queues: {q: }\nconsumers:\n  a: {queue: q}\n  a: {queue: q, prefetch: 1}\n").code == "duplicate-key"


# Channels of steps ---------------------------------------------------------------------------------------------------


def test_publish_and_get_use_channels_of_their_own_on_connections_of_their_own() -> None:
    outcome = play("""
queues: {q: }
steps:
  - publish: {routing_key: q}
  - get: {queue: q}
  - {publish: {exchange: amq.direct, user_id: somebody}, fails: 406}
  - {declare: {queues: {amq.x: }}, fails: 403}
  - {declare: {exchanges: {x: no-such-type}}, fails: 406}
""")
    published, got = outcome.of("published")[0]["channel"], outcome.of("got")[0]["channel"]
    assert published != got
    assert outcome.result["queues"]["q"]["unacked"], "an error on another channel or connection gives nothing back"


def test_get_keeps_its_message_until_it_is_answered() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - publish: {routing_key: q, count: 2}
  - get: {queue: q, channel: reader}
  - get: {queue: q, channel: reader}
  - get: {queue: q, channel: reader}
  - ack: {channel: reader, delivery_tag: 2}
  - nack: {channel: reader, message: m1}
""")
    assert outcome.result["gets"] == [
        {"queue": "q", "message": "m1", "delivery_tag": 1, "redelivered": False},
        {"queue": "q", "message": "m2", "delivery_tag": 2, "redelivered": False},
        {"queue": "q", "message": None, "delivery_tag": None, "redelivered": None},
    ]
    assert outcome.ready("q") == ["m1"]


def test_publishes_have_confirms_unless_a_tx_step_names_the_channel() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - tx: {channel: shop, do: select}
  - publish: {routing_key: q, channel: shop}
  - publish: {routing_key: q, channel: other}
  - publish: {routing_key: q}
  - tx: {channel: shop, do: commit}
""")
    assert {name: item["confirm"] for name, item in outcome.result["messages"].items()} == {"m1": None, "m2": "ack", "m3": "ack"}


def test_the_rule_of_a_consumer_publishes_with_confirms() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers: {c: {queue: q, on_message: [{publish: {routing_key: r}}]}}
steps:
  - publish: {routing_key: q}
""")
    assert outcome.result["messages"]["c-1"]["confirm"] == "ack"
    (event,) = [item for item in outcome.of("published") if item["message"] == "c-1"]
    assert event["channel"] != "c"


def test_the_channel_on_which_a_rule_publishes_is_on_the_consumers_connection() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers: {c: {queue: q, on_message: [{message: m1, publish: {routing_key: r}}, {do: hold}]}}
steps:
  - publish: {routing_key: q, count: 2}
  - crash: c
""")
    (lost,) = outcome.of("connection_lost")
    assert len(lost["channels"]) == 2
    assert "c" in lost["channels"]


# Mistakes ------------------------------------------------------------------------------------------------------------


def test_a_channel_that_nothing_uses() -> None:
    problem = only(
        "queues: {q: }\nconsumers: {c: {queue: q, channel: shared}}\nsteps:\n  - ack: {channel: shard, delivery_tag: 1}\n"
    )
    assert (problem.line, problem.marked) == (4, "shard")
    assert "shared" in problem.cure


@pytest.mark.parametrize(
    ("channels", "marked"),
    [
        ("{c: {conection: x}}", "conection"),
        ("{c: {prefetch: -1}}", "-1"),
        ("{c: {prefetch: 65536}}", "65536"),
        ("{c: [x]}", "["),
        ("[c]", "["),
    ],
)
def test_channels_that_cannot_be_understood(channels: str, marked: str) -> None:
    problem = only(f"queues: {{q: }}\nchannels: {channels}\n")
    assert (problem.line, problem.marked) == (2, marked)


def test_ten_consumers_with_the_same_mistake_are_ten_errors() -> None:
    consumers = "".join(f"  c{number}: {{queue: nowhere{number}}}\n" for number in range(10))
    problems = refused(f"queues: {{q: }}\nconsumers:\n{consumers}")
    assert [problem.line for problem in problems] == list(range(3, 13))


def test_a_queue_that_a_step_declares_belongs_to_the_connection_that_it_names() -> None:
    """Declared by another connection later, once its owner is gone, it is theirs, and so is what follows without a channel."""
    outcome = ok("""
queues: {mine: {exclusive: true, channel: old}}
steps:
  - {declare: {queues: {mine: {exclusive: true}}, channel: new}, fails: 405}
  - purge: mine
  - close: old
  - declare: {queues: {mine: {exclusive: true}}, channel: new}
  - bind: {source: amq.fanout, destination: mine}
  - publish: {exchange: amq.fanout, count: 3}
  - purge: {queue: mine, channel: new}
  - publish: {exchange: amq.fanout, id: last}
  - get: {queue: mine}
  - {purge: {queue: mine, channel: old}, fails: 405}
  - crash: new
  - expect: {queues: {mine: {exists: false}}}
""")
    assert [(event["queue"], event["messages"]) for event in outcome.of("queue_purged")] == [("mine", 0), ("mine", 3)]


def test_a_declare_step_declares_exchanges_and_queues_on_its_channel() -> None:
    outcome = ok("""
steps:
  - {declare: {exchanges: {x: no-such-type}, channel: c}, fails: 406}
  - {declare: {queues: {amq.x: }, channel: c}, fails: 403}
""")
    assert [event["channel"] for event in outcome.of("channel_closed")] == ["c", "c"]


def test_a_passive_declare_only_asks_whether_the_queue_is_there() -> None:
    """Whatever else it says of the queue; to be refused it must be missing, or another connection's."""
    outcome = ok("""
queues: {q: , mine: {exclusive: true, channel: owner}}
steps:
  - declare: {queues: {q: {passive: true, durable: false, arguments: {x-max-length: 1}}}}
  - declare: {queues: {mine: {passive: true}}}
  - declare: {queues: {mine: {passive: true, channel: owner}}}
  - {declare: {queues: {mine: {passive: true, channel: other}}}, fails: 405}
  - {declare: {queues: {none: {passive: true}}}, fails: 404}
  - delete: {queue: q}
  - {declare: {queues: {q: {passive: true}}}, fails: 404}
""")
    assert [event["queue"] for event in outcome.of("queue_declared")] == ["q", "mine"]
    assert [error["text"].partition(" - ")[0] for error in outcome.result["errors"]] == [
        "RESOURCE_LOCKED",
        "NOT_FOUND",
        "NOT_FOUND",
    ]


@pytest.mark.parametrize(("kind", "is_there"), [("classic", True), ("quorum", False)])
def test_a_passive_declare_renews_the_lease_of_a_classic_queue(kind: str, is_there: bool) -> None:
    ok(f"""
queues: {{q: {{type: {kind}, arguments: {{x-expires: 10000}}}}}}
steps:
  - wait: 6s
  - declare: {{queues: {{q: {{passive: true}}}}}}
  - wait: 9s
  - expect: {{queues: {{q: {{exists: {str(is_there).lower()}}}}}}}
until: steps
""")


def test_a_passive_declare_belongs_into_a_step() -> None:
    problem = only("queues: {q: {passive: true}}\n")
    assert (problem.marked, problem.cure) == ("true", "put it into a `declare` step")
    assert only("queues: {q: }\nsteps: [declare: {queues: {p: {passive: true}}}]\n").code == "unknown-queue"
