"""Virtual time: what comes first at one instant, when a run ends, and what is said of one that does not."""

from typing import Any

import pytest
from kits.scenario import Outcome, ok, only, play, routesim

from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source


def order(outcome: Outcome, at_ms: int, *kinds: str) -> list[tuple[str, Any]]:
    return [(event["event"], event.get("message")) for event in outcome.of(*kinds) if event["at_ms"] == at_ms]


# One instant ---------------------------------------------------------------------------------------------------------


def test_expiries_come_before_completions() -> None:
    """m2 expires at the very instant at which the consumer would be free for it."""
    outcome = ok("""
queues: {q: {arguments: {x-message-ttl: 100}}}
consumers: {c: {queue: q, prefetch: 1, takes: 100ms}}
steps:
  - publish: {routing_key: q, count: 2}
""")
    assert order(outcome, 100, "dropped", "acked", "delivered") == [("dropped", "m2"), ("acked", "m1")]
    assert outcome.delivered("c") == ["m1"]


def test_completions_come_before_scheduled_publishes() -> None:
    """The queue is full until the consumer answers, at the instant at which the next message comes."""
    outcome = ok("""
queues: {q: {arguments: {x-max-length: 1, x-overflow: reject-publish}}, out: }
consumers: {c: {queue: q, prefetch: 1, takes: 1s, on_message: [{publish: {routing_key: out}}]}}
steps:
  - publish: {routing_key: q, count: 3, every: 1s}
""")
    assert order(outcome, 1000, "published", "acked", "delivered") == [
        ("published", "c-1"), ("acked", "m1"), ("published", "m2"), ("delivered", "m2"),
    ]  # fmt: skip


def test_expiries_come_before_scheduled_publishes() -> None:
    outcome = ok("""
queues: {q: {arguments: {x-message-ttl: 1000, x-max-length: 1, x-overflow: reject-publish}}}
steps:
  - publish: {routing_key: q, count: 2, every: 1s}
""")
    assert order(outcome, 1000, "dropped", "published", "refused") == [("dropped", "m1"), ("published", "m2")]
    assert outcome.result["messages"]["m2"]["confirm"] == "ack"


def test_scheduled_publishes_come_before_the_next_step() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - publish: {routing_key: q, id: a, count: 2, every: 1s}
  - wait: 1s
  - publish: {routing_key: q, id: z}
""")
    assert outcome.ready("q") == ["a-1", "a-2", "z"]


def test_completions_at_one_instant_come_in_the_order_of_the_deliveries() -> None:
    outcome = ok("""
queues: {q: }
consumers:
  b: {queue: q, prefetch: 1, takes: 1s}
  a: {queue: q, prefetch: 1, takes: 1s}
steps:
  - publish: {routing_key: q, count: 4}
""")
    assert outcome.times("acked") == [(1000, "m1"), (1000, "m2"), (2000, "m3"), (2000, "m4")]


def test_what_a_step_sets_off_is_settled_before_the_next_begins() -> None:
    outcome = ok("""
queues: {a: , b: , c: }
consumers:
  one: {queue: a, on_message: [{publish: {routing_key: b}}]}
  two: {queue: b, on_message: [{publish: {routing_key: c}}]}
  three: {queue: c}
steps:
  - publish: {routing_key: a, count: 2}
  - publish: {routing_key: a}
""")
    assert [event["message"] for event in outcome.of("published")] == [
        "m1", "one-1", "two-1", "m2", "one-2", "two-2", "m3", "one-3", "two-3",
    ]  # fmt: skip


def test_a_broker_operation_dispatches_to_exhaustion_before_the_clients_react() -> None:
    outcome = ok("""
exchanges: {f: fanout}
queues: {q: , r: }
bindings: [{source: f, destination: q}, {source: f, destination: r}]
consumers: {a: {queue: q}, b: {queue: r}}
steps:
  - publish: {exchange: f}
""")
    kinds = [event["event"] for event in outcome.of("delivered", "acked")]
    assert kinds == ["delivered", "delivered", "acked", "acked"]


def test_time_stands_still_during_a_step() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - publish: {routing_key: q, count: 100}
  - purge: q
  - declare: {queues: {r: }}
""")
    assert {event["at_ms"] for event in outcome.events} == {0}


def test_whole_milliseconds() -> None:
    outcome = ok("""
queues: {q: }
consumers: {c: {queue: q, takes: 1ms, concurrency: 3}}
steps:
  - publish: {routing_key: q, count: 7, every: 1ms}
""")
    assert all(isinstance(event["at_ms"], int) for event in outcome.events)
    assert isinstance(outcome.result["clock_ms"], int)


# until ---------------------------------------------------------------------------------------------------------------

SLOW = """
queues: {q: {arguments: {x-expires: 3600000}}}
consumers: {c: {queue: q, takes: 10s}}
steps:
  - publish: {routing_key: q, count: 2, every: 1s}
  - wait: 500ms
"""


def test_until_idle_is_the_default_and_x_expires_does_not_keep_a_run_alive() -> None:
    result = ok(SLOW).result
    assert (result["ended"], result["clock_ms"]) == ("idle", 20_000)
    assert "q" in result["queues"]
    assert ok(f"{SLOW}until: idle\n").result["clock_ms"] == 20_000


def test_acknowledgement_timeouts_do_not_keep_a_run_alive() -> None:
    result = ok("queues: {q: }\nconsumers: {c: {queue: q, on_message: hold}}\nsteps: [{publish: {routing_key: q}}]\n").result
    assert (result["ended"], result["clock_ms"]) == ("idle", 0)


def test_message_ttls_do() -> None:
    result = ok("queues: {q: {arguments: {x-message-ttl: 5000}}}\nsteps: [{publish: {routing_key: q}}]\n").result
    assert (result["ended"], result["clock_ms"]) == ("idle", 5000)


def test_x_expires_acts_while_time_passes_for_another_reason() -> None:
    outcome = ok("queues: {q: {arguments: {x-expires: 5000}}}\nsteps: [{wait: 6s}]\n")
    assert outcome.result["queues"] == {}
    assert [event["at_ms"] for event in outcome.of("queue_deleted")] == [5000]


def test_until_steps_stops_when_the_last_step_has_settled() -> None:
    result = ok(f"{SLOW}until: steps\n").result
    assert (result["ended"], result["clock_ms"]) == ("steps", 500)
    assert result["counts"]["published"] == 1


@pytest.mark.parametrize(
    ("until", "clock_ms", "published", "acked"), [("1s", 1000, 2, 0), ("12s", 12_000, 2, 1), ("1h", 3_600_000, 2, 2)]
)
def test_until_a_duration_is_virtual_time_from_the_start(until: str, clock_ms: int, published: int, acked: int) -> None:
    result = ok(f"{SLOW}until: {until}\n").result
    assert result["clock_ms"] == clock_ms
    assert (result["counts"]["published"], result["counts"]["acked"]) == (published, acked)
    assert result["ended"] not in ("idle", "steps", "livelock", "budget")


def test_a_run_that_ends_before_its_steps_do() -> None:
    outcome = ok("queues: {q: }\nsteps:\n  - publish: {routing_key: q}\n  - wait: 5s\n  - publish: {routing_key: q}\nuntil: 2s\n")
    assert outcome.result["clock_ms"] == 2000
    assert outcome.ready("q") == ["m1"]


def test_a_run_of_no_time_still_does_the_steps_of_that_instant() -> None:
    outcome = ok(
        "queues: {q: }\nsteps:\n  - publish: {routing_key: q}\n  - publish: {routing_key: q}\n  - wait: 1ms\n  - publish: {routing_key: q}\nuntil: 0\n"
    )
    assert outcome.ready("q") == ["m1", "m2"]


def test_the_command_lines_until_wins() -> None:
    assert ok(f"{SLOW}until: steps\n", "--until", "idle").result["ended"] == "idle"
    assert ok(SLOW, "--until", "steps").result["ended"] == "steps"
    assert ok(SLOW, "--until", "2s").result["clock_ms"] == 2000


@pytest.mark.parametrize("until", ["forever", "Idle", "step", "[]", "-1s", '""'])
def test_until_takes_nothing_else(until: str) -> None:
    problem = only(f"queues: {{q: }}\nuntil: {until}\n")
    assert (problem.line, problem.column) == (2, 8)


# Runs without an end -------------------------------------------------------------------------------------------------

ENDLESS = "queues: {q: }\nconsumers: {c: {queue: q, takes: 1s, on_message: requeue}}\nsteps: [{publish: {routing_key: q}}]\n"
LIVELOCK = "queues: {q: }\nconsumers: {c: {queue: q, on_message: requeue}}\nsteps: [{publish: {routing_key: q}}]\n"


def test_a_budget_that_is_used_up() -> None:
    outcome = play(ENDLESS, "--max-events", "5000")
    assert (outcome.status, outcome.result["ended"], outcome.result["ok"]) == (3, "budget", False)


def test_what_kept_it_going_is_told() -> None:
    outcome = routesim("run", "s.yaml", "-q", "--max-events", "2000", files={"s.yaml": ENDLESS})
    assert outcome.status == 3
    said = outcome.out + outcome.err
    assert "budget" in said
    assert " q" in said


def test_the_budget_counts_from_the_last_scheduled_publish() -> None:
    busy = "queues: {q: }\nconsumers: {c: {queue: q}}\nsteps: [{publish: {routing_key: q, count: 3000, every: 10ms}}]\n"
    assert ok(busy, "--max-events", "100").result["ended"] == "idle"


@pytest.mark.parametrize("budget", [10, 500, 4000])
def test_the_budget_is_about_so_many_events(budget: int) -> None:
    outcome = play(ENDLESS, "--max-events", str(budget))
    assert outcome.result["ended"] == "budget"
    assert budget <= len(outcome.events) <= 3 * budget + 1100


# Nothing of these is about a message: what they do is connecting, being refused, and starting again.
NEVER_CONNECTED = {
    "a stream without a limit": "queues: {q: {type: stream}}\nworkers: {k: {queues: q, restart: RESTART}}\n",
    "somebody else's queue": (
        "queues: {q: , mine: {exclusive: true, channel: other}}\nworkers: {k: {queues: [q, mine], restart: RESTART}}\n"
    ),
    "a queue declared otherwise": (
        "queues: {q: }\nworkers: {k: {queues: q, restart: RESTART, declares: {queues: {q: {durable: false, exclusive: true}}}}}\n"
    ),
}


@pytest.mark.parametrize("restart", ["0", "100ms"])
@pytest.mark.parametrize("text", NEVER_CONNECTED.values(), ids=NEVER_CONNECTED)
def test_a_worker_that_is_refused_and_started_again_uses_the_budget_up(text: str, restart: str) -> None:
    outcome = play(text.replace("RESTART", restart), "--max-events", "3000")
    assert (outcome.status, outcome.result["ended"]) == (3, "budget")
    errors = outcome.result["errors"]
    assert len(errors) < 30, "the same error is kept a few times"
    assert sum(error.get("more", 0) for error in errors) > 500
    assert (
        "connect"
        in routesim("run", "s.yaml", "-q", "--max-events", "3000", files={"s.yaml": text.replace("RESTART", restart)}).out
    )


def test_thirty_virtual_days_are_a_budget_too() -> None:
    outcome = play(ENDLESS.replace("1s", "6h"))
    assert outcome.result["ended"] == "budget"
    assert 29 <= outcome.result["clock_ms"] / 86_400_000 <= 32


def test_thirty_days_count_from_the_last_scheduled_publish() -> None:
    text = "queues: {q: }\nconsumers: {c: {queue: q}}\nsteps: [{publish: {routing_key: q, count: 50, every: 1d}}]\n"
    result = ok(text).result
    assert (result["ended"], result["clock_ms"]) == ("idle", 49 * 86_400_000)


def test_neither_applies_while_the_number_of_open_messages_falls() -> None:
    text = "queues: {q: }\nconsumers: {c: {queue: q, prefetch: 1, takes: 10d}}\nsteps: [{publish: {routing_key: q, count: 20}}]\n"
    assert ok(text, "--max-events", "10").result["clock_ms"] == 200 * 86_400_000


def test_an_endless_round_of_dead_letters_uses_the_budget_up() -> None:
    outcome = play("""
queues:
  work: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: pause}}
  pause: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: work, x-message-ttl: 1000}}
consumers: {c: {queue: work, on_message: reject}}
steps: [{publish: {routing_key: work}}]
""", "--max-events", "3000")  # fmt: skip
    assert (outcome.status, outcome.result["ended"]) == (3, "budget")


def test_a_consumer_that_publishes_to_its_own_queue_comes_to_an_end() -> None:
    """Every message is a new one, none comes back, and time stands still: the run must not go on for ever."""
    outcome = routesim(
        "run", "s.yaml", "-q", "--max-events", "20000",
        files={"s.yaml": "queues: {q: }\nconsumers: {c: {queue: q, on_message: [{publish: {routing_key: q}}]}}\nsteps: [{publish: {routing_key: q}}]\n"},
        limit_s=4,
    )  # fmt: skip
    assert outcome.status in (1, 3)
    assert "livelock" in outcome.out or "budget" in outcome.out


def test_two_consumers_that_publish_to_each_other_come_to_an_end() -> None:
    outcome = routesim(
        "run", "s.yaml", "-q", "--max-events", "20000", files={"s.yaml": """
queues: {ping: , pong: }
consumers:
  a: {queue: ping, on_message: [{publish: {routing_key: pong}}]}
  b: {queue: pong, on_message: [{publish: {routing_key: ping}}]}
steps: [{publish: {routing_key: ping}}]
"""}, limit_s=4,
    )  # fmt: skip
    assert outcome.status in (1, 3)


def test_with_a_little_time_in_between_it_is_the_budget() -> None:
    outcome = play(
        "queues: {q: }\nconsumers: {c: {queue: q, takes: 1ms, on_message: [{publish: {routing_key: q}}]}}\nsteps: [{publish: {routing_key: q}}]\n",
        "--max-events", "5000",
    )  # fmt: skip
    assert (outcome.status, outcome.result["ended"]) == (3, "budget")


def test_a_livelock() -> None:
    outcome = play(LIVELOCK)
    assert (outcome.status, outcome.result["ended"], outcome.result["ok"]) == (1, "livelock", False)
    assert len(outcome.delivered("c")) in (1000, 1001)
    assert outcome.result["clock_ms"] == 0


def test_a_livelock_names_the_message_and_where_it_goes_round() -> None:
    outcome = routesim("run", "s.yaml", "-q", files={"s.yaml": LIVELOCK})
    assert outcome.status == 1
    assert "livelock" in outcome.out
    assert "m1" in outcome.out


def test_a_livelock_of_dead_letters() -> None:
    outcome = play("""
queues:
  a: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: b}}
  b: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: a}}
consumers: {x: {queue: a, on_message: reject}, y: {queue: b, on_message: reject}}
steps: [{publish: {routing_key: a}}]
""")
    assert (outcome.status, outcome.result["ended"]) == (1, "livelock")


def test_999_times_is_no_livelock() -> None:
    outcome = ok(
        'queues: {q: }\nconsumers: {c: {queue: q, on_message: [{attempt: "< 999", do: requeue}]}}\nsteps: [{publish: {routing_key: q}}]\n'
    )
    assert len(outcome.delivered("c")) == 999


def test_two_messages_of_600_rounds_each_are_no_livelock() -> None:
    outcome = ok(
        'queues: {q: }\nconsumers: {c: {queue: q, on_message: [{attempt: "< 600", do: requeue}]}}\nsteps: [{publish: {routing_key: q, count: 2}}]\n'
    )
    assert outcome.result["ended"] == "idle"


def test_the_same_rounds_over_time_are_no_livelock() -> None:
    outcome = ok(
        'queues: {q: }\nconsumers: {c: {queue: q, takes: 1ms, on_message: [{attempt: "< 1500", do: requeue}]}}\nsteps: [{publish: {routing_key: q}}]\n'
    )
    assert outcome.result["ended"] == "idle"


@pytest.mark.parametrize(
    ("text", "arguments", "ended"), [(LIVELOCK, (), "livelock"), (ENDLESS, ("--max-events", "2000"), "budget")]
)
def test_an_ending_that_was_expected_is_status_0(text: str, arguments: tuple[str, ...], ended: str) -> None:
    assert play(f"{text}expect: {{ended: {ended}}}\n", *arguments).status == 0
    assert play(f"{text}expect: {{ended: idle}}\n", *arguments).status in (1, 3)
    other = "budget" if ended == "livelock" else "livelock"
    assert play(f"{text}expect: {{ended: {other}}}\n", *arguments).status in (1, 3)


def test_an_expected_budget_does_not_hide_a_failed_expectation() -> None:
    """The run ended as it was to; what is wrong is that an expectation failed: that is status 1, not "no verdict"."""
    outcome = routesim(
        "run", "s.yaml", "--max-events", "2000", "-f", "json", files={"s.yaml": f"{ENDLESS}expect: {{ended: budget, lost: 5}}\n"}
    )
    assert outcome.status == 1


def test_expectations_are_checked_after_a_livelock_too() -> None:
    outcome = play(f"{LIVELOCK}expect: {{ended: livelock, queues: {{q: {{ready: 7}}}}}}\n")
    assert outcome.status == 1
    assert [item["ok"] for item in outcome.result["expectations"]] == [True, False]


def test_ended_can_be_expected_of_a_run_that_comes_to_rest() -> None:
    assert play(f"{SLOW}expect: {{ended: idle}}\n").status == 0
    assert play(f"{SLOW}until: steps\nexpect: {{ended: steps}}\n").status == 0
    assert play(f"{SLOW}expect: {{ended: livelock}}\n").status == 1


def test_what_a_delayed_retry_holds_back_is_among_what_still_goes_round() -> None:
    text = """
rabbitmq: "4.3"
queues: {jobs: {type: quorum, arguments: {x-delayed-retry-type: all, x-delayed-retry-min: 1000}}}
consumers: {worker: {queue: jobs, on_message: requeue}}
steps: [{publish: {routing_key: jobs}}]
"""
    result = Runner(load_source(Source("scenario.yaml", text), ""), max_events=500).run()
    assert result.ended == "budget"
    assert result.kept_going.startswith("messages still go round (1 in jobs): ")
