"""Consumers that crash, come back, or lose their channel, and those that acknowledge automatically."""

import pytest
from kits.consumers import ONE, TWO, worked
from kits.scenario import only

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
