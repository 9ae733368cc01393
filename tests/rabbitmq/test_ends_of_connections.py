"""How a connection ends on a real broker: a crash says nothing, and a close cancels no consumer before it (rules/queues#2.13)."""

import pytest
from kits.live import agreed, run_there

from routesim.run.on_rabbitmq.session import BrokerSession

SUCCESSOR = """
queues: {{q: {{type: {kind}, arguments: {{x-single-active-consumer: true}}}}}}
consumers:
  a: {{queue: q, prefetch: 2, on_message: hold}}
  b: {{queue: q, prefetch: 4, on_message: hold}}
steps:
  - publish: {{routing_key: q, id: m, count: 4}}
  - {end}: a
until: steps
"""


@pytest.mark.parametrize("end", ["crash", "close"])
@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_what_was_held_is_back_before_the_successor_is_served(session: BrokerSession, kind: str, end: str) -> None:
    text = SUCCESSOR.format(kind=kind, end=end)
    agreed(session, text)
    found = run_there(session, text).deliveries.of
    assert [item["message"] for item in found["b"]] == ["m-1", "m-2", "m-3", "m-4"]
    assert [item["redelivered"] for item in found["b"]] == [True, True, False, False]


@pytest.mark.parametrize("end", ["crash", "close"])
def test_an_exclusive_queue_is_gone_when_the_next_step_begins(session: BrokerSession, end: str) -> None:
    agreed(
        session,
        f"""
        queues: {{q: {{exclusive: true, channel: owner}}}}
        channels: {{owner: {{connection: owner}}}}
        steps:
          - publish: {{routing_key: q}}
          - {end}: owner
          - declare: {{queues: {{q: {{}}}}}}
          - publish: {{routing_key: q}}
        expect: {{queues: {{q: {{ready: 1}}}}}}
        """,
    )


@pytest.mark.parametrize("end", ["crash", "close"])
def test_several_channels_of_a_connection_end_with_it(session: BrokerSession, end: str) -> None:
    agreed(
        session,
        f"""
        queues: {{q: {{}}, r: {{type: quorum}}}}
        channels: {{one: {{connection: both}}, two: {{connection: both}}}}
        consumers:
          a: {{queue: q, channel: one, prefetch: 1, on_message: hold}}
          b: {{queue: r, channel: two, prefetch: 1, on_message: hold}}
        steps:
          - publish: {{routing_key: q, id: m, count: 2}}
          - publish: {{routing_key: r, id: n, count: 2}}
          - {end}: a
          - get: {{queue: q}}
          - get: {{queue: r}}
        until: steps
        """,
    )
