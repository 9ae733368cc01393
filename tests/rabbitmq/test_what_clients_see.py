"""What is known of a real broker at the end of a run: what is ready, what is still held, and what nobody is told of."""

import json

import pytest
from kits.broker import Bench
from kits.live import agreed, run_there

from routesim.run.on_rabbitmq.session import BrokerSession

SINGLE = """
queues: {q: {type: quorum, arguments: {x-single-active-consumer: true}}}
consumers:
  a: {queue: q, prefetch: 1, on_message: hold}
  b: {queue: q, prefetch: 3, on_message: hold}
  c: {queue: q, prefetch: 3, on_message: hold, auto_ack: true}
steps:
  - publish: {routing_key: q, id: m, count: 6}
expect:
  queues: {q: {ready: [m-2, m-3, m-4, m-5, m-6], unacked: [m-1]}}
  consumers: {b: {delivered: 0}, c: {delivered: 0}}
"""


def test_what_is_ready_behind_a_single_active_consumer(session: BrokerSession) -> None:
    """rules/queues#3.8: basic.get is refused there, and no successor may be served by the looking."""
    agreed(session, SINGLE)
    found = run_there(session, SINGLE)
    assert found.ok, found.expectations


def test_what_came_back_to_a_single_active_consumer_is_ready_as_it_came_back(session: BrokerSession) -> None:
    agreed(session, SINGLE.partition("expect:")[0] + "  - cancel: b\n  - nack: {consumer: a, delivery_tag: 1}\n  - crash: a\n")


def test_a_message_that_a_limit_dropped_is_not_ready(session: BrokerSession) -> None:
    """rules/queues#2.10: no client is told, so it is not checked."""
    found = run_there(
        session,
        """
        queues: {q: {type: quorum, arguments: {x-delivery-limit: 2}}}
        consumers: {c: {queue: q, prefetch: 1, on_message: hold}}
        steps:
          - publish: {routing_key: q, id: m}
          - wait: 500ms
          - reject: {consumer: c, delivery_tag: 1, requeue: true}
          - wait: 500ms
          - reject: {consumer: c, delivery_tag: 2, requeue: true}
          - wait: 500ms
          - reject: {consumer: c, delivery_tag: 3, requeue: true}
          - wait: 500ms
        expect:
          queues: {q: {ready: 0, unacked: 0}}
          messages: {m: {q: "dropped: delivery_limit"}}
        """,
    )
    assert (found.ok, found.errors) == (True, []), found.expectations
    assert found.fates.state("m", "q") is None
    assert found.real is not None
    assert [item.path for item in found.real.unseen] == [("messages", "m", "q")]


LATE = """
queues: {q: {type: quorum, arguments: {x-consumer-timeout: 1000}}}
consumers:
  c: {queue: q, prefetch: 2, on_message: hold}
  d: {queue: q, prefetch: 1, on_message: hold, start: false}
steps:
  - publish: {routing_key: q, id: m, count: 2}
"""
LATER = {
    "nobody else": "",
    "another consumer": "  - wait: 3s\n  - consume: d\n",
    "a get": "  - wait: 3s\n  - get: {queue: q}\n",
}


@pytest.mark.parametrize("how", LATER)
def test_what_came_back_by_an_acknowledgement_timeout_is_held_no_more(session: BrokerSession, how: str) -> None:
    """rules/queues#5.10: since 4.3 the consumer is cancelled, and what it held too long is ready."""
    if not session.version.startswith("4.3"):
        pytest.skip("before 4.3 the channel is closed, a minute later")
    agreed(session, LATE + LATER[how] + "until: 3500ms\n")


NESTED = {
    "l": [1], "m": {"a": 1}, "x-l": [1, "a"], "x-m": {"a": 1}, "CC": ["other"], "BCC": ["other"], "n": None, "x-n": None, "i": 5,
}  # fmt: skip


def test_a_stream_keeps_no_lists_and_tables(session: BrokerSession) -> None:
    """rules/queues#8.1."""
    text = f"queues: {{s: {{type: stream}}}}\nsteps: [{{publish: {{routing_key: s, headers: {json.dumps(NESTED)}}}}}]\n"
    agreed(session, text)


@pytest.mark.parametrize(("profile", "kept"), [("3.12", {"i", "n", "x-n"}), ("3.13", {"i", "n", "x-n", "x-l", "x-m", "CC"})])
def test_what_a_stream_keeps_of_lists_and_tables(profile: str, kept: set[str]) -> None:
    bench = Bench(profile)
    bench.queue("s", "stream")
    bench.send("s", "m", headers=NESTED)
    queue = bench.broker.queues["s"]
    (copy,) = queue.ready()
    assert queue.headers(copy).keys() == kept | {"x-stream-offset"}


def test_a_return_is_heard_before_the_channel_is_closed(session: BrokerSession) -> None:
    """rules/queues#4.7: a commit that a queue has refused closes the channel, and what was unroutable has come back before."""
    agreed(
        session,
        """
        queues: {q: {arguments: {x-max-length: 0, x-overflow: reject-publish}}}
        channels: {t: {confirms: false}}
        steps:
          - {tx: {channel: t, do: select}}
          - {publish: {routing_key: q, channel: t}}
          - {publish: {channel: t, mandatory: true}}
          - {tx: {channel: t, do: commit}}
        until: steps
        """,
    )


def test_what_has_expired_behind_another_is_gone_when_it_is_read(session: BrokerSession) -> None:
    """rules/queues#5.4: a quorum queue looks at its head alone; with a single active consumer it is read by a consumer."""
    agreed(
        session,
        """
        queues: {q: {type: quorum, arguments: {x-single-active-consumer: true}}}
        steps:
          - {publish: {routing_key: q}}
          - {publish: {routing_key: q, expiration: "400"}}
          - {wait: 1200ms}
        until: steps
        """,
    )
