"""A run whose steps came too late says nothing; one that kept its times does, whatever it took as a whole."""

import pytest
from kits.live import scenario_for

from routesim.run import Runner
from routesim.run.folds.fold import fan_out
from routesim.run.folds.letters import Letters
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.verify import verify, verifying
from routesim.verify.lateness import Timing

TTL = """
queues: {q: {arguments: {x-message-ttl: 400}}}
steps:
  - publish: {routing_key: q}
  - wait: 200ms
  - get: {queue: q}
  - publish: {routing_key: q}
  - wait: 1s
"""


class Profile:
    profile = "4.3"


def timing_of(text: str) -> Timing:
    timing = Timing()
    runner = Runner(scenario_for(Profile, text), fan_out(None, [timing]))  # type: ignore[arg-type]
    timing.broker = runner.broker
    runner.run()
    return timing


STEPS = [0, 0, 200, 200, 200]


@pytest.mark.parametrize(
    ("real", "void"),
    [
        (STEPS, False),
        ([time + 1000 for time in STEPS], False),  # all of it began late
        ([0, 90, 290, 330, 390], False),  # 190 ms, less than half of 400
        ([0, 10, 210, 330, 420], True),
        ([0, 10, 310, 310, 610], True),
    ],
)
def test_a_step_is_late_by_what_came_between_it_and_the_begin_of_the_timer(real: list[int], void: bool) -> None:
    timing = timing_of(TTL)
    assert timing.steps == STEPS
    timing.margin_ms = None  # of what was handed out in time another test tells
    assert (timing.why_void(real, 0) is not None) is void


def test_what_consumers_do_late_counts_too() -> None:
    text = """
    queues: {q: {arguments: {x-message-ttl: 400}}}
    consumers: {c: {queue: q, prefetch: 1, takes: 300ms}}
    steps: [publish: {routing_key: q, count: 2}]
    """
    timing = timing_of(text.replace("300ms", "350ms").replace("count: 2", "count: 3"))
    assert timing.why_void([0], 10) is None
    assert timing.why_void([0], 30) == "what clients did was 30 ms late, 50 ms before a timer"


def test_what_would_have_expired_had_it_been_handed_out_later() -> None:
    text = """
    queues: {q: {arguments: {x-message-ttl: 400}}}
    steps: [publish: {routing_key: q}, wait: 100ms, get: {queue: q}]
    """
    timing = timing_of(text)
    assert timing.timers == []
    assert timing.why_void([0, 0, 240], 0) is None
    assert timing.why_void([0, 0, 260], 0) == (
        "a step came 160 ms late, and a message would have expired 300 ms after it was handed out"
    )


def test_what_would_have_been_deleted_for_want_of_use() -> None:
    text = """
    queues: {q: {exclusive: true, channel: owner, arguments: {x-expires: 400}}}
    steps: [publish: {routing_key: q}, publish: {routing_key: q}, crash: owner]
    """
    timing = timing_of(text)
    assert timing.timers == []
    assert timing.why_void([0, 150, 190], 0) is None
    assert timing.why_void([0, 150, 250], 0) == (
        "a step came 250 ms late, and a queue would have been deleted after 400 ms without use"
    )


def test_without_timers_nothing_is_late() -> None:
    timing = timing_of("queues: {q: }\nsteps: [publish: {routing_key: q}, wait: 1s, get: {queue: q}]\n")
    assert timing.why_void([0, 5000, 9000], 9000) is None


@pytest.mark.parametrize("late", [True, False])
def test_a_run_that_differs_and_was_late_is_void(session: BrokerSession, monkeypatch: pytest.MonkeyPatch, late: bool) -> None:
    """Told apart from a difference, after as many runs as are void."""
    scenario = scenario_for(session, TTL)
    monkeypatch.setattr(verifying, "first_difference", lambda *_: "what differs")
    monkeypatch.setattr(Timing, "why_void", lambda *_: "step 1 came late" if late else None)
    verdict = verify(scenario, session)
    assert verdict.skipped == ("void: the machine was too slow (step 1 came late)" if late else None)
    assert verdict.difference == (None if late else "what differs")
    assert verdict.tries == (verifying.MOST_VOID if late else verifying.TRIES)


def test_letters_are_what_is_handed_out() -> None:
    letters = Letters()
    text = (
        "queues: {q: }\nconsumers: {c: {queue: q, auto_ack: true}}\nsteps: [publish: {routing_key: q, id: a, headers: {h: 1}}]\n"
    )
    runner = Runner(scenario_for(Profile, text), letters.hear)  # type: ignore[arg-type]
    letters.broker = runner.broker
    runner.run()
    assert [(row["message"], row["delivery_tag"], row["headers"]) for row in letters.delivered["c"]] == [("a", 1, {"h": 1})]
