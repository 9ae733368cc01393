"""What a client does with its channels by itself: opening, confirms, not reading, closing; and what only the broker can say of it."""

import pytest
from kits.scenario import ok, only, play

HEAD = """
queues: {q: , r: }
channels: {one: {connection: house, confirms: false}, two: {connection: house}}
consumers: {a: {queue: q, channel: one, on_message: hold, start: false}}
"""


def test_channels_end_in_the_order_in_which_they_were_opened() -> None:
    outcome = ok(f"""{HEAD}steps:
  - open: two
  - open: one
  - crash: house
""")
    (lost,) = outcome.of("connection_lost")
    assert (lost["connection"], lost["channels"]) == ("house", ["two", "one"])


def test_a_channel_that_is_open_is_not_opened_again() -> None:
    outcome = play(f"{HEAD}steps:\n  - open: one\n  - open: one\n")
    assert [error["text"] for error in outcome.result["errors"]] == ["channel 'one' is open already"]


def test_confirms_begin_when_they_are_asked_for() -> None:
    outcome = ok(f"""{HEAD}steps:
  - publish: {{routing_key: q, channel: one}}
  - confirm: one
  - publish: {{routing_key: q, channel: one}}
  - open: two
  - publish: {{routing_key: q, channel: two}}
""")
    assert [event["message"] for event in outcome.of("confirmed")] == ["m2", "m3"]


def test_a_channel_alone_is_closed() -> None:
    ok(f"""{HEAD}steps:
  - open: two
  - publish: {{routing_key: q}}
  - consume: a
  - expect: {{queues: {{q: {{unacked: [m1]}}}}}}
  - close_channel: one
  - get: {{queue: q, channel: two}}
expect: {{queues: {{q: {{unacked: [m1]}}}}}}
""")


def test_the_broker_closes_what_no_step_can_say() -> None:
    outcome = ok(f"""{HEAD}steps:
  - open: one
  - open: two
  - close_channel: {{channel: one, code: 406, text: no}}
  - open: one
  - close: {{name: house, code: 540, text: not so, blamed: one}}
""")
    (channel,) = outcome.of("channel_closed")
    assert (channel["channel"], channel["code"], channel["text"]) == ("one", 406, "PRECONDITION_FAILED - no")
    (connection,) = outcome.of("connection_closed")
    assert (connection["code"], connection["channels"]) == (540, ["two", "one"])


def test_who_does_not_read_is_sent_nothing() -> None:
    ok(f"""{HEAD}steps:
  - consume: a
  - flow: {{channel: one, active: false}}
  - publish: {{routing_key: q}}
  - expect: {{queues: {{q: {{ready: [m1]}}}}}}
  - flow: {{channel: one, active: true}}
expect: {{queues: {{q: {{unacked: [m1]}}}}}}
""")


def test_an_exchange_is_asked_for() -> None:
    ok("""
exchanges: {x: fanout}
steps:
  - declare: {exchanges: {x: {passive: true}}}
  - declare: {exchanges: {nowhere: {passive: true}}}
    fails: 404
""")
    problem = only("exchanges: {x: {passive: true}}\n")
    assert "put it into a `declare` step" in problem.cure


def test_a_body_is_known_by_its_size_alone() -> None:
    ok("""
queues: {q: {arguments: {x-max-length-bytes: 100}}}
steps:
  - publish: {routing_key: q, size: 60}
  - publish: {routing_key: q, size: 50}
expect: {queues: {q: {ready: [m2]}}, lost: 1}
""")
    problem = only("queues: {q: }\nsteps:\n  - publish: {routing_key: q, size: 3, body: abc}\n")
    assert problem.message == "give body or size, not both"


def test_a_queue_may_go_on_with_a_name_that_a_broker_has_drawn() -> None:
    outcome = ok("""
steps:
  - declare: {queues: {amq.gen-JzTY20BRgKO: {exclusive: true, server_named: true}}, channel: app}
  - publish: {routing_key: amq.gen-JzTY20BRgKO}
  - get: {queue: amq.gen-JzTY20BRgKO, channel: app}
""")
    assert outcome.of("got")[0]["message"] == "m1"


@pytest.mark.parametrize("verb", ["crash", "close"])
def test_a_connection_is_called_by_its_name(verb: str) -> None:
    ok(
        f"{HEAD}steps:\n  - publish: {{routing_key: q}}\n  - consume: a\n  - {verb}: house\nexpect: {{queues: {{q: {{ready: 1}}}}}}\n"
    )


def test_a_wait_fails_as_often_as_the_broker_closes_something() -> None:
    ok("""
rabbitmq: "3.13"
broker: {consumer_timeout: 1m}
queues: {q: }
consumers: {a: {queue: q, prefetch: 1, on_message: hold}, b: {queue: q, prefetch: 1, on_message: hold}}
steps:
  - publish: {routing_key: q, count: 2}
  - wait: 10m
    fails: 406
expect: {queues: {q: {ready: 2}}}
""")


def test_what_waits_in_a_queue_expires_now() -> None:
    ok("""
queues: {q: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: r}}, r: }
steps:
  - publish: {routing_key: q, count: 2}
  - expire: q
expect: {queues: {q: {ready: 0}, r: {ready: [m1, m2]}}, messages: {m1: {q: "dead-lettered: expired"}}}
""")
