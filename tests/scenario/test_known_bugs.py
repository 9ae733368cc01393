"""Bugs of patch releases that are not simulated: told where a scenario may show them, and only there."""

import json
from pathlib import Path

import pytest
from kits.scenario import play, problems_in, routesim

from routesim.versions import NEWEST_PATCH, numbers, parse
from routesim.versions.known_bugs import KNOWN_BUGS, TOUCHED, KnownBug, bugs_of

QUEUES = {
    "dead letters": "queues: {q: {arguments: {x-dead-letter-exchange: amq.fanout}}}",
    "quorum queues": "queues: {q: {type: quorum}}",
    "quorum queues with delayed retry and a length limit that drops the head": (
        "queues: {q: {type: quorum, arguments: {x-delayed-retry-type: all, x-delayed-retry-min: 300, x-max-length: 1}}}"
    ),
    "exclusive queues": "queues: {q: {exclusive: true}}",
    "quorum queues with a single active consumer, by priority": (
        "queues: {q: {type: quorum, arguments: {x-single-active-consumer: true}}}\nconsumers: {a: {queue: q, priority: 5}}"
    ),
    "queues that are deleted and declared again as another type": "queues: {q: }",
}
THEN = {
    "queues that are deleted and declared again as another type": (
        "\n- {delete: {queue: q}}\n- declare: {queues: {q: {type: quorum}}}"
    )
}  # what the steps add
STEPS = "steps:\n- {publish: {routing_key: q}}"


def told(version: str, declared: str, then: str = "") -> list[str]:
    outcome = play(f'rabbitmq: "{version}"\n{declared}\n{STEPS}{then}\n')
    assert outcome.status == 0, outcome
    found = [problem for problem in problems_in(outcome.err) if problem.code == "known-bug"]
    assert all((problem.line, problem.severity) == (1, "warning") for problem in found)
    return [problem.message for problem in found]


def test_the_table_names_known_versions_in_order() -> None:
    for bug in KNOWN_BUGS:
        assert bug.touches in TOUCHED
        if bug.mended is not None:
            assert parse(bug.since) < numbers(bug.mended) <= parse(bug.mended.rpartition(".")[0])
    assert set(QUEUES) == set(TOUCHED)


@pytest.mark.parametrize("bug", KNOWN_BUGS, ids=lambda bug: f"{bug.touches}-{bug.since}-{bug.mended}")
def test_a_scenario_that_may_show_a_bug_is_told_of_it(bug: KnownBug) -> None:
    declared, then = QUEUES[bug.touches], THEN.get(bug.touches, "")
    assert any(bug.what in text for text in told(bug.since, declared, then))
    if bug.mended is not None:
        assert not any(bug.what in text for text in told(bug.mended, declared, then))
    assert not any(bug.what in text for text in told(bug.since, "queues: {q: }"))


def test_the_newest_patches_have_what_nobody_has_mended_alone() -> None:
    for version in list(NEWEST_PATCH)[-3:]:
        assert all(bug.mended is None for bug in bugs_of(version))


@pytest.mark.parametrize(
    "then", ["- {delete: {queue: q}}\n- declare: {queues: {q: }}", "- declare: {queues: {p: {type: quorum}}}"]
)
def test_a_queue_that_keeps_its_type_ends_no_connection(then: str) -> None:
    assert told("4.3.6", "queues: {q: }", f"\n{then}") == []


@pytest.mark.parametrize(
    "arguments",
    ["x-max-length: 1", "x-delayed-retry-type: all, x-delayed-retry-min: 300", "x-delayed-retry-type: disabled, x-max-length: 1",
     "x-delayed-retry-type: all, x-delayed-retry-min: 300, x-max-length: 1, x-overflow: reject-publish"],
)  # fmt: skip
def test_a_limit_or_a_delayed_retry_alone_hangs_nothing(arguments: str) -> None:
    assert told("4.3.6", f"queues: {{q: {{type: quorum, arguments: {{{arguments}}}}}}}") == []


def test_a_policy_may_set_what_makes_a_queue_hang() -> None:
    policies = (
        "policies: [{name: p, pattern: q, definition: {delayed-retry-type: failed, delayed-retry-min: 300, max-length: 1}}]"
    )
    assert len(told("4.3.6", f"queues: {{q: {{type: quorum}}}}\n{policies}")) == 1


def test_upgrade_tells_of_the_bugs_on_either_side(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"{QUEUES['quorum queues']}\n{STEPS}\n")
    outcome = routesim("upgrade", str(file), "--from", "4.0.2", "--to", "4.0.4", "--format", "json")
    assert "a delivery limit may let the queue's process fail" in json.dumps(json.loads(outcome.out)["known_bugs"])
