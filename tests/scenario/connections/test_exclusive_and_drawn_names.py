"""Whose connection owns an exclusive queue, names that the broker draws, direct reply-to."""

import pytest
from kits.scenario import ok, only

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
