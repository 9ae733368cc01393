"""What `x` asks in step mode: a run gone along in moves, left by a failure, and as it goes on then."""

import pytest
from kits.paths import SCENARIOS

from routesim.events import Acked, DeadLettered, LostAtRestart, LostByConsumer, Requeued, StepStarted
from routesim.explore.what_if import Branch, NoWhatIf, PossibleFailure, course_of
from routesim.report.screens.what_if import outcome
from routesim.report.summary.summary import verdict
from routesim.run import Runner
from routesim.run.recording import record
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

PLAIN = sorted(path for path in SCENARIOS.glob("*.yaml") if path.stem not in ("poison-classic", "dead-letter-cycle-endless"))


def choices(scenario: Scenario, at: type | int) -> tuple[list[PossibleFailure], list[object]]:
    """What may fail before the first event of that type, or once so many have happened."""
    events = record(scenario)[0].events
    place = at if isinstance(at, int) else next(index for index, event in enumerate(events) if type(event) is at)
    return course_of(scenario, events).choices(place, place), events


def failed(scenario: Scenario, at: type | int, words: str) -> Branch:
    found, events = choices(scenario, at)
    choice = next(each for each in found if words in each.words)
    return course_of(scenario, events).carried_out(choice)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_every_run_is_gone_along_to_its_end(path) -> None:
    """Where the moves were in another order than those of `run`, this would be refused."""
    scenario = load(path)
    found, events = choices(scenario, len(record(scenario)[0].events))
    assert {choice.kind for choice in found} >= {"restart", "kill"}
    assert all(choice.at_ms == events[-1].at_ms or scenario.until != "idle" for choice in found)


def test_what_is_acknowledged_when_it_is_sent_is_lost_with_its_worker() -> None:
    scenario = load(SCENARIOS / "explore/auto-ack.yaml")
    after_delivery = next(i for i, event in enumerate(record(scenario)[0].events) if type(event).__name__ == "Delivered") + 1
    branch = failed(scenario, after_delivery, "the connection of worker is lost before its work at welcome")
    assert [event.message for event in branch.recording.events if type(event) is LostByConsumer] == ["welcome"]
    assert branch.result.counts()["lost"] == 1
    assert outcome(Runner(scenario).run(), branch) == "welcome: mail: acked → mail: lost"


def test_after_the_work_and_before_the_ack_it_is_done_twice() -> None:
    scenario = load(SCENARIOS / "explore/done-twice.yaml")
    branch = failed(scenario, Acked, "is lost after its work at invoice and before the ack")
    assert branch.twice == {("invoice", "invoices")}
    assert branch.recording.events[branch.at - 1].at_ms == 1_000
    assert "the work of invoice from invoices is done twice" in outcome(Runner(scenario).run(), branch)


def test_up_to_the_failure_it_is_the_run_itself_and_one_can_ask_again() -> None:
    scenario = load(SCENARIOS / "shoes.yaml")
    found, events = choices(scenario, DeadLettered)
    branch = course_of(scenario, events).carried_out(next(each for each in found if each.kind == "kill"))
    same = [a == b for a, b in zip(events, branch.recording.events, strict=False)]
    assert all(same[: branch.at - 5])
    assert not all(same)
    again = branch.course.carried_out(branch.course.choices(branch.at, branch.at)[0])
    assert again.recording.events[: branch.at] == branch.recording.events[: branch.at]
    assert again.at > branch.at
    assert [event.step for event in again.recording.events if type(event) is StepStarted] == [0, 1, 2]


def test_one_can_ask_again_where_it_failed_before_the_first_step() -> None:
    scenario = load(SCENARIOS / "shoes.yaml")
    found, events = choices(scenario, StepStarted)
    for choice in found:
        branch = course_of(scenario, events).carried_out(choice)
        assert branch.course.choices(branch.at, branch.at)


def test_expectations_are_asked_of_the_branch() -> None:
    """Those between the steps too, each at its place."""
    scenario = load(SCENARIOS / "explore/transient-message.yaml")
    branch = failed(scenario, 10, "restarts in good order")
    assert [event.message for event in branch.recording.events if type(event) is LostAtRestart] == ["job-1", "job-2"]
    assert not branch.result.ok
    assert len(branch.result.expectations) == len(scenario.expect)


def test_chance_falls_out_as_in_the_run() -> None:
    scenario = load(SCENARIOS / "flaky-worker.yaml")
    run, events = Runner(scenario).run(), record(scenario)[0].events
    course = course_of(scenario, events)
    branch = course.carried_out(next(each for each in course.choices(len(events), len(events)) if each.kind == "kill"))
    assert outcome(run, branch) == "all ends as it did without it"
    assert [e for e in branch.recording.events if type(e) is Requeued] == [e for e in events if type(e) is Requeued]


def test_a_worker_process_is_killed_at_a_moment() -> None:
    scenario = load(SCENARIOS / "explore/celery-early-ack.yaml")
    events = record(scenario)[0].events
    started = next(i for i, event in enumerate(events) if type(event).__name__ == "TaskStarted") + 1
    branch = failed(scenario, started, "w1 is killed")
    assert "charge-1: SUCCESS" not in outcome(Runner(scenario).run(), branch).partition("→")[2]
    assert any(type(event).__name__ == "TaskLost" for event in branch.recording.events)


def test_redis_is_said() -> None:
    text = "broker: {kind: redis}\nqueues: {q: }\nsteps: [{publish: {routing_key: q}}]\n"
    scenario = load_source(Source("redis.yaml", text), "")
    with pytest.raises(NoWhatIf, match="Redis"):
        choices(scenario, 3)


def test_who_hangs_and_has_acknowledged_is_told_though_no_event_says_so() -> None:
    text = "queues: {q: }\nconsumers: {w: {queue: q, auto_ack: true, takes: 1s}}\nsteps: [{publish: {routing_key: q, id: m}}]\n"
    scenario = load_source(Source("hangs.yaml", text), "")
    branch = failed(scenario, len(record(scenario)[0].events), "w hangs in its work at m")
    assert branch.result.counts()["lost"] == 0
    told = "m: w never comes to an end with it, and it was acknowledged when it was sent"
    assert outcome(Runner(scenario).run(), branch) == told
    assert verdict(branch.result).text.startswith("RAN  hangs: 1 message LOST, nothing expected")


def test_what_is_lost_without_the_failure_too_is_not_told() -> None:
    text = "queues: {q: }\nsteps: [{publish: {routing_key: nobody, id: gone}}, {publish: {routing_key: q, id: m}}]\n"
    scenario = load_source(Source("unroutable.yaml", text), "")
    branch = failed(scenario, len(record(scenario)[0].events), "the broker restarts in good order")
    assert "gone" not in outcome(Runner(scenario).run(), branch)
