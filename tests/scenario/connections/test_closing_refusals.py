"""What a refusal closes, and which step it belongs to."""

import pytest
from kits.scenario import ok, only, play


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
