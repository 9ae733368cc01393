"""Who shares a channel with whom, whose connection owns an exclusive queue, and what a closed channel takes with it."""

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


# What a refusal closes -----------------------------------------------------------------------------------------------


def test_a_closed_channel_ends_its_consumers_and_gives_back_what_they_held() -> None:
    outcome = ok("""
queues: {q: }
consumers: {c: {queue: q, channel: shared, on_message: hold}}
steps:
  - publish: {routing_key: q}
  - {ack: {channel: shared, delivery_tag: 99}, fails: 406}
expect:
  queues: {q: {ready: [m1], unacked: 0}}
""")
    (closed,) = outcome.of("channel_closed")
    assert (closed["channel"], closed["code"]) == ("shared", 406)
    assert [event["consumer"] for event in outcome.of("consumer_cancelled")] == ["c"]
    assert outcome.result["errors"] == [{"step": 1, "code": 406, "text": closed["text"], "expected": True}]
    assert closed["text"].startswith("PRECONDITION_FAILED - ")


def test_tags_start_at_1_on_a_channel_that_is_opened_anew() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - publish: {routing_key: q, count: 2}
  - get: {queue: q, channel: reader}
  - {get: {queue: gone, channel: reader}, fails: 404}
  - get: {queue: q, channel: reader}
""")
    assert [(item["message"], item["delivery_tag"], item["redelivered"]) for item in outcome.result["gets"]] == [
        ("m1", 1, False), ("m1", 1, True),
    ]  # fmt: skip


def test_a_hard_error_closes_the_connection_with_all_its_channels() -> None:
    outcome = ok("""
rabbitmq: "3.10"
queues: {q: }
channels: {one: {connection: house}, two: {connection: house}}
consumers: {c: {queue: q, channel: one, on_message: hold}}
steps:
  - publish: {routing_key: q}
  - {bind: {source: "", destination: q, channel: two}, fails: 403}
  - {consume: c, fails: 530}
expect: {queues: {q: {ready: [m1]}}}
""")
    assert [event["connection"] for event in outcome.of("connection_closed")] == ["house"]


@pytest.mark.parametrize(("says", "status"), [("", 1), (", fails: 404", 0), (", fails: 406", 1)])
def test_an_error_fails_the_run_unless_the_step_carries_its_code(says: str, status: int) -> None:
    outcome = play(f"exchanges: {{x: fanout}}\nsteps:\n  - delete: {{exchange: x}}\n  - {{publish: {{exchange: x}}{says}}}\n")
    assert outcome.status == status
    error = outcome.result["errors"][0]
    assert error == {"step": 1, "code": 404, "text": "NOT_FOUND - no exchange 'x' in vhost '/'", "expected": status == 0}


def test_a_step_that_says_fails_and_does_not_is_a_failure_too() -> None:
    outcome = play("queues: {q: }\nsteps:\n  - {publish: {routing_key: q}, fails: 404}\n  - publish: {routing_key: q}\n")
    assert outcome.status == 1
    (error,) = outcome.result["errors"]
    assert (error["step"], error["expected"]) == (0, False)
    assert "404" in error["text"]
    assert len(outcome.ready("q")) == 2, "the run goes on"


def test_the_run_goes_on_after_a_failed_step_or_expectation() -> None:
    outcome = play("""
queues: {q: }
exchanges: {x: fanout}
steps:
  - delete: {exchange: x}
  - publish: {exchange: x}
  - expect: {queues: {q: {ready: 5}}}
  - publish: {routing_key: q}
expect: {queues: {q: {ready: 1}}}
""")
    assert outcome.status == 1
    assert [item["ok"] for item in outcome.result["expectations"]] == [False, True]
    assert outcome.ready("q") == ["m2"]


@pytest.mark.parametrize("code", ["99", "1000", "abc", '"404"', "404.0", "[404]"])
def test_fails_takes_a_reply_code(code: str) -> None:
    problem = only(f"queues: {{q: }}\nsteps:\n  - {{publish: {{routing_key: q}}, fails: {code}}}\n")
    assert (problem.line, problem.column) == (3, 40)


def test_an_error_that_comes_later_belongs_to_the_step_during_which_time_passed() -> None:
    outcome = play("""
exchanges: {x: fanout}
queues: {q: }
steps:
  - publish: {exchange: x, count: 3, every: 1s}
  - delete: {exchange: x}
  - wait: 1500ms
  - publish: {routing_key: q}
""")
    assert [(error["step"], error["code"]) for error in outcome.result["errors"]] == [(2, 404), (None, 404)]
    assert outcome.status == 1


def test_an_error_of_a_rule_belongs_to_the_step_that_set_it_off() -> None:
    outcome = play("""
exchanges: {x: fanout}
queues: {q: }
consumers: {c: {queue: q, on_message: [{publish: {exchange: x}}]}}
steps:
  - delete: {exchange: x}
  - publish: {routing_key: q}
""")
    assert [(error["step"], error["code"]) for error in outcome.result["errors"]] == [(1, 404)]


def test_fails_on_a_wait_covers_what_a_timer_raises_during_it() -> None:
    outcome = ok("""
exchanges: {x: fanout}
queues: {q: }
steps:
  - publish: {exchange: x, count: 2, every: 1s}
  - delete: {exchange: x}
  - {wait: 2s, fails: 404}
""")
    assert outcome.result["errors"][0]["expected"] is True


# Exclusive queues and their owners -----------------------------------------------------------------------------------


def test_an_exclusive_queue_belongs_to_its_first_consumer() -> None:
    ok("""
queues: {mine: {exclusive: true}}
consumers: {c: {queue: mine, on_message: hold}}
steps:
  - publish: {routing_key: mine}
  - crash: c
expect: {queues: {mine: {exists: false}}}
""")


def test_without_a_consumer_it_belongs_to_a_connection_named_after_it() -> None:
    outcome = ok("""
queues: {mine: {exclusive: true}}
steps:
  - publish: {routing_key: mine}
  - get: {queue: mine}
  - purge: mine
  - bind: {source: amq.fanout, destination: mine}
  - unbind: {source: amq.fanout, destination: mine}
  - delete: {queue: mine}
""")
    assert outcome.result["errors"] == []


def test_its_channel_names_its_owner() -> None:
    ok("""
queues: {mine: {exclusive: true, channel: boss}}
channels: {boss: {connection: house}, clerk: {connection: house}}
consumers: {c: {queue: mine, channel: clerk, on_message: hold}}
steps:
  - publish: {routing_key: mine}
  - crash: boss
expect: {queues: {mine: {exists: false}}, consumers: {c: {delivered: 1}}}
""")


def test_its_bindings_and_the_steps_that_name_it_go_over_its_owners_connection() -> None:
    outcome = ok("""
queues: {mine: {exclusive: true}}
bindings: [{source: amq.fanout, destination: mine}]
consumers: {c: {queue: mine, on_message: hold}}
steps:
  - bind: {source: amq.topic, destination: mine, routing_key: "#"}
  - publish: {exchange: amq.fanout}
  - publish: {exchange: amq.topic}
  - unbind: {source: amq.topic, destination: mine, routing_key: "#"}
  - purge: mine
  - get: {queue: mine}
  - declare: {queues: {mine: {exclusive: true}}}
""")
    assert outcome.delivered("c") == ["m1", "m2"]


@pytest.mark.parametrize(
    "step",
    [
        "get: {queue: mine, channel: other}",
        "bind: {source: amq.fanout, destination: mine, channel: other}",
        "delete: {queue: mine, channel: other}",
        "purge: {queue: mine, channel: other}",
        "declare: {queues: {mine: {exclusive: true, channel: other}}}",
        "declare: {queues: {mine: {exclusive: true}}, channel: other}",
        "declare: {queues: {mine: {exclusive: true, durable: false, arguments: {x-max-length: 1}}}, channel: other}",
        "declare: {queues: {mine: {channel: other}}}",
        "declare: {queues: {mine: }, channel: other}",
        "declare: {queues: {mine: }}",
        "declare: {queues: {mine: {passive: true}}, channel: other}",
        "declare: {bindings: [{source: amq.fanout, destination: mine}], channel: other}",
        "declare: {bindings: [{source: amq.fanout, destination: mine, channel: other}]}",
        "consume: d",
    ],
)
def test_405_takes_an_explicit_channel(step: str) -> None:
    outcome = ok(f"""
queues: {{mine: {{exclusive: true}}}}
consumers:
  c: {{queue: mine, on_message: hold}}
  d: {{queue: mine, start: false}}
steps:
  - {{{step}, fails: 405}}
""")
    assert outcome.result["errors"][0]["text"].startswith("RESOURCE_LOCKED - ")


def test_exclusive_is_not_server_named_nor_the_other_way() -> None:
    outcome = ok("queues: {a: {exclusive: true}, b: {server_named: true}, c: {exclusive: true, server_named: true}}")
    names = {event["queue"]: event["broker_name"] for event in outcome.of("queue_declared")}
    assert names["a"] == "a"
    assert names["b"].startswith("amq.gen-")
    assert names["c"].startswith("amq.gen-")


# Names that the broker draws, and direct reply-to --------------------------------------------------------------------

REPLY = """
queues: {reply: {server_named: true}, work: }
bindings: [{source: amq.direct, destination: reply, routing_key: back}]
consumers: {c: {queue: reply, on_message: hold}}
steps:
  - publish: {exchange: amq.direct, routing_key: back}
  - publish: {routing_key: work, reply_to: reply}
  - publish: {routing_key: reply}
"""


def test_scenario_and_result_say_the_scenarios_name() -> None:
    outcome = ok(REPLY)
    assert list(outcome.result["queues"]) == ["reply", "work"]
    assert outcome.result["consumers"]["c"]["queue"] == "reply"
    assert {event["queue"] for event in outcome.of("enqueued", "delivered")} == {"reply", "work"}
    assert outcome.result["messages"]["m1"]["queues"] == ["reply"]


def test_the_brokers_name_is_drawn_from_the_seed() -> None:
    def drawn(*arguments: str) -> str:
        name: str = ok(REPLY, *arguments).of("queue_declared")[0]["broker_name"]
        return name

    assert drawn() == drawn()
    assert drawn("--seed", "1") != drawn("--seed", "2")
    assert drawn("--seed", "0") == drawn()


def test_the_direct_reply_queue_always_exists() -> None:
    outcome = ok("""
queues: {rpc: }
consumers:
  caller: {queue: amq.rabbitmq.reply-to, auto_ack: true, channel: phone}
  server: {queue: rpc, on_message: [{publish: {routing_key: $reply_to, body: $body, correlation_id: $correlation_id}}]}
steps:
  - publish: {routing_key: rpc, reply_to: amq.rabbitmq.reply-to, correlation_id: c1, body: question, channel: phone}
expect: {consumers: {caller: {delivered: [server-1]}}}
""")
    assert outcome.answers("caller") == [("server-1", "auto")]


def test_a_reply_consumer_must_not_acknowledge() -> None:
    problem = only("consumers:\n  caller: {queue: amq.rabbitmq.reply-to}\n")
    assert problem.line == 2
    assert "reply consumer cannot acknowledge" in problem.message


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
