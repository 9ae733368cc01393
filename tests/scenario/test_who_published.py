"""Who published what reached no queue: the trace, the messages and the ledger name the channel, or the consumer."""

import pytest
from kits.scenario import checked, play, routesim

NOWHERE = """
queues: {q: , full: {arguments: {x-max-length: 0, x-overflow: reject-publish}}}
consumers: {c: {queue: q, on_message: [{publish: {routing_key: from-c}}]}}
steps:
  - publish: {routing_key: none, id: gone, channel: billing}
  - publish: {routing_key: none, id: plain}
  - publish: {routing_key: none, id: back, mandatory: true, channel: shop}
  - publish: {routing_key: q, id: work}
"""


def test_the_trace_names_the_publisher() -> None:
    rows = [" ".join(line.split()) for line in routesim("run", "s.yaml", files={"s.yaml": NOWHERE}).out.splitlines()]
    assert "UNROUTABLE gone (default) no queue is named 'none'. Confirmed to billing, but in no queue." in rows
    assert "UNROUTABLE plain (default) no queue is named 'none'. Confirmed to the publisher, but in no queue." in rows
    assert "UNROUTABLE c-1 (default) no queue is named 'from-c'. Confirmed to c, but in no queue." in rows
    assert "returned back (default) 312 NO_ROUTE: no queue is named 'none', to shop" in rows


def test_messages_and_ledger_name_the_publisher() -> None:
    rows = [" ".join(line.split()) for line in routesim("run", "s.yaml", files={"s.yaml": NOWHERE}).out.splitlines()]
    assert "message exchange key publisher ended as" in rows
    assert "gone (default) none billing CONFIRMED to the publisher, but in no queue" in rows
    assert "c-1 (default) from-c c CONFIRMED to the publisher, but in no queue" in rows
    assert "confirmed to billing, but in no queue: gone" in rows
    assert "confirmed to c, but in no queue: c-1" in rows


def test_where_no_publisher_has_a_name_there_is_no_column() -> None:
    out = routesim("run", "s.yaml", files={"s.yaml": "queues: {q: }\nsteps: [publish: {routing_key: q}]\n"}).out
    assert "publisher" not in out


def test_events_and_messages_have_the_channel() -> None:
    outcome = play(NOWHERE)
    assert {event["message"]: event["channel"] for event in outcome.of("unroutable")} == {
        "gone": "billing", "plain": "(publish)", "back": "shop", "c-1": "c (publish)",
    }  # fmt: skip
    assert [event["channel"] for event in outcome.of("returned")] == ["shop"]
    assert outcome.result["messages"]["gone"]["channel"] == "billing"


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        ("unroutable: [gone, plain, c-1]", True),
        ("unroutable: 3", True),
        ("unroutable: [gone]", False),
        ('unroutable: "> 3"', False),
        ("lost: 3", True),
        ("returned: [back]", True),
    ],
)
def test_what_reached_no_queue_is_expected_by_its_name(wanted: str, held: bool) -> None:
    assert checked(f"{NOWHERE}expect: {{{wanted}}}\n") == [held]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (
            "publish: {routing_key: none, id: m, mandatory: true}",
            "m came back to its publisher, so it is not lost: expect `returned`",
        ),
        ("publish: {routing_key: full, id: m}", "m was refused, and its publisher told, so it is not lost: expect `nacked`"),
    ],
)
def test_what_does_not_count_as_lost_is_said_where_it_was_expected(step: str, says: str) -> None:
    queues = "queues: {full: {arguments: {x-max-length: 0, x-overflow: reject-publish}}}\n"
    out = routesim("run", "s.yaml", "-q", files={"s.yaml": f"{queues}steps: [{step}]\nexpect: {{lost: 1}}\n"}).out
    assert "no message was lost" in out
    assert says in out
