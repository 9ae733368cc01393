"""A copy of a broker is independent and alike; equal situations have equal fingerprints."""

import json
from pathlib import Path

import pytest

from routesim import model, steps
from routesim.broker import Broker, RabbitBroker, counts, imbalance
from routesim.broker.branches import branching
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.versions import rules

RECORDED = Path(__file__).parent.parent / "conformance" / "recorded"
CASES = [
    pytest.param(case["scenario"], id=case["name"])
    for path in sorted(RECORDED.glob("*.jsonl"))
    if not path.stem.endswith("-pairs")
    for case in [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][::4]
]


@pytest.mark.parametrize("text", CASES)
def test_a_copy_goes_on_like_its_original(text: str) -> None:
    """Halfway through a recorded run the broker is copied; both halves end alike, and neither disturbs the other."""
    runner = Runner(load_source(Source("case", text), ""))
    taken: list[tuple[Broker, list[steps.Step]]] = []
    apply, count = runner.broker.apply, 0

    def copying(step: steps.Step) -> object:
        nonlocal count
        count += 1
        if count == 12:
            taken.append((runner.broker.copy(), []))
            assert taken[0][0].fingerprint() == runner.broker.fingerprint()
        for _, later in taken:
            later.append(step)
        return apply(step)

    runner.broker.apply = copying  # type: ignore[method-assign, assignment]
    runner.run()
    if not taken or runner.broker.now:
        return
    copy, later = taken[0]
    for step in later:
        copy.apply(step)
        copy.outbox.clear()
    assert copy.fingerprint() == runner.broker.fingerprint()
    assert counts(copy) == counts(runner.broker)
    assert imbalance(counts(copy)) is None


def small() -> RabbitBroker:
    broker = RabbitBroker(rules())
    broker.apply(steps.DeclareExchange("d", model.Exchange("x", "topic")))
    broker.apply(steps.DeclareQueue("d", model.Queue("q")))
    broker.apply(steps.Bind("d", model.Binding("x", "q", "queue", "a.*")))
    return broker


def test_neither_disturbs_the_other() -> None:
    broker = small()
    copy = broker.copy()
    before = copy.fingerprint()
    broker.apply(steps.Publish("p", model.Message("x", "a.b"), "m1"))
    broker.apply(steps.Bind("d", model.Binding("x", "q", "queue", "b")))
    assert copy.fingerprint() == before
    copy.apply(steps.Publish("p", model.Message("x", "b"), "m2"))
    assert not copy.queues["q"].ready_count()
    assert broker.queues["q"].ready_count() == 1


CHANGES = [
    steps.SetPolicy(model.Policy("p", "^q$", {"max-length": 1})),
    steps.DeclareExchange("d", model.Exchange("y", "x-random")),
    steps.DeclareQueue("e", model.Queue("own", exclusive=True)),
    steps.DeclareQueue("d", model.Queue("other", arguments={"x-queue-type": "quorum"})),
    steps.Unbind("d", model.Binding("x", "q", "queue", "a.*")),
    steps.DeleteQueue("d", "q"),
    steps.Publish("p", model.Message("x", "a.b"), "m1"),
    steps.Get("g", "q"),
    steps.Consume(model.Consumer("c", "q", "c")),
    steps.Crash("p"),
    steps.Restart(clean=False),
]


@pytest.mark.parametrize("with_policy", [False, True])
@pytest.mark.parametrize("step", CHANGES, ids=lambda step: type(step).__name__)
def test_what_one_does_the_other_does_not_feel(step: steps.Step, with_policy: bool) -> None:
    broker = small()
    if with_policy:
        broker.apply(steps.SetPolicy(model.Policy("first", "^q", {"max-length": 9})))
    broker.apply(steps.Publish("p", model.Message("x", "a.b"), "m0"))
    copy = broker.copy()
    for acting, other in ((copy, broker), (broker, copy)):
        before = other.fingerprint()
        assert acting.apply(step) is None
        assert other.fingerprint() == before
    assert broker.fingerprint() == copy.fingerprint()


def in_parts(broker: RabbitBroker) -> tuple[object, ...]:
    """What tells branches apart."""
    parts = {sign: group.fingerprint(broker) for sign, group in branching.groups_of(broker).items()}
    return sorted(parts.items()), branching.rest_of_print(broker)


@pytest.mark.parametrize("with_policy", [False, True])
@pytest.mark.parametrize("step", CHANGES, ids=lambda step: type(step).__name__)
def test_what_a_branch_does_the_other_does_not_feel(step: steps.Step, with_policy: bool) -> None:
    """And it says that it has touched something."""
    broker = small()
    if with_policy:
        broker.apply(steps.SetPolicy(model.Policy("first", "^q", {"max-length": 9})))
    broker.apply(steps.Publish("p", model.Message("x", "a.b"), "m0"))
    twin = broker.copy()
    left = branching.branch(broker)
    right = branching.branch(left)
    for acting, others in ((left, (broker, right)), (right, (broker, left)), (broker, (left, right))):
        before = [(other.fingerprint(), in_parts(other)) for other in others]
        branching.wake(acting)
        assert acting.apply(step) is None
        assert branching.rest(acting)[0] or isinstance(step, steps.SetPolicy)
        assert [(other.fingerprint(), in_parts(other)) for other in others] == before
    twin.apply(step)
    for each in (broker, left, right):
        assert each.fingerprint() == twin.fingerprint()
        assert in_parts(each) == in_parts(twin)


def test_the_same_situation_by_another_way() -> None:
    """What has been, and when, plays no part: only what is."""
    left, right = small(), small()
    right.advance(5_000)
    right.apply(steps.Publish("p", model.Message("x", "a.b"), "other"))
    right.apply(steps.Purge("d", "q"))
    for broker in (left, right):
        broker.apply(steps.Publish("p", model.Message("x", "a.b"), "m1"))
    assert left.fingerprint() == right.fingerprint()
    right.apply(steps.Publish("p", model.Message("x", "a.b"), "m2"))
    assert left.fingerprint() != right.fingerprint()
