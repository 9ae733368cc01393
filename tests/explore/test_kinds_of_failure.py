"""The kinds of failure: what each does to a small scenario, and that `run` repeats what was found."""

import pytest
from kits.explored import broken_by, explored_text

from routesim.explore import HOLDS, replayed
from routesim.explore.moves import make, moves
from routesim.explore.root import root_of
from routesim.failure_kinds import EXPLORED

TWO = """
rabbitmq: "{version}"
queues: {{q: {queue}}}
consumers: {{w: {{queue: q}}, v: {{queue: q}}}}
steps: [{{publish: {{routing_key: q, id: m}}}}]
"""
PUBLISHERS = """
queues: {q: }
consumers: {w: {queue: q}}
steps:
  - publish: {routing_key: q, id: a, channel: one}
  - publish: {routing_key: q, id: b, channel: one}
  - publish: {routing_key: q, id: c, channel: two}
  - wait: 1s
  - publish: {routing_key: q, id: d, channel: one}
  - publish: {routing_key: q, id: e, channel: two}
"""


@pytest.mark.parametrize(
    ("version", "queue", "after"),
    [
        ("3.10", "", 31 * 60_000),
        ("4.2", "", 31 * 60_000),
        ("4.2", "{type: quorum}", 31 * 60_000),
        ("4.3", "{type: quorum}", 30 * 60_000),
    ],
)
def test_who_hangs_loses_its_message_to_another(version: str, queue: str, after: int) -> None:
    """It is another's after 30 minutes, at the end of a minute of the channel before 4.3 (rules/queues#5.10)."""
    found = explored_text(TWO.format(version=version, queue=queue), kinds=(("hang", 1),), properties=("stuck", "duplicated"))
    example = broken_by(found, "duplicated")
    assert example is not None
    assert broken_by(found, "stuck") is None
    assert [move.kind for move in example.moves] == ["turn", "hang after work", "time", "finish"]
    assert example.times[-1] == after
    asked = next(item for item in found.explored.asked if item.name == "duplicated")
    assert replayed(found, asked).ok


def test_nobody_loses_patience_with_a_classic_queue_from_4_3_on() -> None:
    found = explored_text(TWO.format(version="4.3", queue=""), kinds=(("hang", 1),), properties=("stuck",))
    example = broken_by(found, "stuck")
    assert example is not None
    assert example.broken.how == "w holds it from q and never answers"


def test_who_has_hung_consumes_again() -> None:
    text = TWO.format(version="4.2", queue="").replace(", v: {queue: q}", "")
    assert broken_by(explored_text(text, kinds=(("hang", 1),), properties=("stuck",)), "stuck") is None


def test_who_hangs_and_has_acknowledged_loses_the_message() -> None:
    """The broker waits for no answer of it and takes nothing back, so its work is never done."""
    text = TWO.format(version="4.2", queue="").replace("queue: q}", "queue: q, auto_ack: true}")
    found = explored_text(text, kinds=(("hang", 1),), properties=("lost", "stuck"))
    example = broken_by(found, "lost")
    assert example is not None
    assert [move.kind for move in example.moves] == ["turn", "hang"]
    assert example.broken.how == "w never comes to an end with it, and it was acknowledged when it was sent"
    assert broken_by(found, "stuck") is None
    assert replayed(found, next(item for item in found.explored.asked if item.name == "lost")).ok


def test_what_comes_to_who_has_hung_is_lost_too() -> None:
    text = """
queues: {q: }
consumers: {w: {queue: q, auto_ack: true, takes: 1h}}
steps: [{publish: {routing_key: q, id: a}}, {publish: {routing_key: q, id: b}}]
"""
    found = explored_text(text, kinds=(("hang", 1),), properties=("lost",))
    example = broken_by(found, "lost")
    assert example is not None
    world = root_of(found.scenario, found.bounds)
    for kind in ("turn", "turn", "hang"):
        move = next(move for move in [*moves(world)[0], *moves(world)[1]] if move.kind == kind)
        make(world, move)
    assert world.facts.gone == {
        "a": "w never comes to an end with it, and it was acknowledged when it was sent",
        "b": "w hangs and never comes to it, and it was acknowledged when it was sent",
    }
    assert world.somewhere() == set()


def test_a_kind_that_befalls_consumers_is_told_where_there_are_none() -> None:
    found = explored_text("queues: {q: }\nsteps: [{publish: {routing_key: q}}]\n", kinds=(("hang", 1), ("cancel", 1)))
    assert "failures of the kinds hang, cancel, which nothing in this scenario can meet" in found.left_out


@pytest.mark.parametrize(
    ("left", "possible"),
    [
        ("", False), ("a", False), ("abc", False), ("c", False), ("e", False), ("abce", True), ("ace", True), ("ce", True),
        ("abcd", True), ("abd", True), ("bce", False), ("abcde", True),
    ],
)  # fmt: skip
def test_a_publisher_that_dies_does_none_of_its_further_steps(left: str, possible: bool) -> None:
    """What the one has published when it dies is a beginning of its steps, and the other one goes on to its end."""
    ready = f"[{', '.join(left)}]" if left else "0"
    text = PUBLISHERS.replace("consumers: {w: {queue: q}}\n", "") + f"expect: {{queues: {{q: {{ready: {ready}}}}}}}\n"
    found = explored_text(text, kinds=(("die", 1),), properties=("livelock",), expect="sometimes")
    verdict = next(item for item in found.explored.asked if item.name == "expect")
    assert (verdict.verdict == HOLDS) == possible


def test_a_consumer_that_dies_never_comes_back() -> None:
    found = explored_text(PUBLISHERS, kinds=(("die", 1),), properties=("stuck",))
    example = broken_by(found, "stuck")
    assert example is not None
    assert "the process of w dies for good" in example.failures[0]
    asked = next(item for item in found.explored.asked if item.name == "stuck")
    assert replayed(found, asked).ok


CELERY = """
celery:
  apps: {shop: {task_acks_late: %s}}
  workers: {w1: }
  tasks: {charge: {takes: 1s}}
steps: [{call: {task: charge, id: c}}]
"""


@pytest.mark.parametrize(
    ("kind", "late", "broken"),
    [
        ("kill_worker", "false", ["lost"]), ("kill_child", "false", []), ("die", "false", ["lost"]),
        ("kill_worker", "true", []), ("kill_child", "true", []), ("die", "true", ["stuck"]),
    ],
)  # fmt: skip
def test_what_befalls_workers(kind: str, late: str, broken: list[str]) -> None:
    """A task whose child is killed has failed, and is told to have; it is no loss."""
    found = explored_text(CELERY % late, kinds=((kind, 1),), properties=("lost", "stuck"))
    assert [item.name for item in found.explored.broken] == broken


ONE_AFTER_THE_OTHER = """
queues: {q: }
consumers: {w: {queue: q, prefetch: 1, takes: 1s}}
steps: [{publish: {routing_key: q, count: 2}}]
"""


@pytest.mark.parametrize("text", [ONE_AFTER_THE_OTHER, CELERY % "false"])
def test_every_kind_is_carried_out_or_told_to_be_vain(text: str) -> None:
    without = explored_text(text, kinds=())
    for kind in EXPLORED:
        found = explored_text(text, kinds=((kind, 1),))
        vain = any("nothing in this scenario can meet" in item for item in found.left_out)
        assert (found.explored.tried > without.explored.tried) != vain, kind


def test_what_is_nothing_to_workers_is_told() -> None:
    found = explored_text(CELERY % "false", kinds=(), properties=("order",), races=True, any_time=True)
    left = "; ".join(found.left_out)
    assert "order, which is not asked of tasks" in left
    assert "what --races, --timing any would try" in left


PARKING = """
queues: {q: {arguments: {x-dead-letter-exchange: '', x-dead-letter-routing-key: parked}}, parked: }
consumers: {w: {queue: q, on_message: reject}}
steps: [{publish: {routing_key: q, id: m}}]
"""


def test_a_queue_that_is_full_refuses_what_comes_next() -> None:
    """A dead letter is dropped then; a publisher hears that its message is refused, which is no loss."""
    found = explored_text(PARKING, kinds=(("full", 1),), properties=("lost",))
    example = broken_by(found, "lost")
    assert example is not None
    assert example.failures == ["parked is full: from now on it refuses a message more than it has"]
    assert [move.kind for move in example.moves] == ["turn", "full", "finish"]
    assert replayed(found, next(item for item in found.explored.asked if item.name == "lost")).ok
    told = explored_text(PARKING.replace(", on_message: reject", ""), kinds=(("full", 1),), properties=("lost",))
    assert broken_by(told, "lost") is None


def test_what_is_in_a_queue_that_is_deleted_is_lost() -> None:
    """And what comes after that, unless its publisher hears of it."""
    for mandatory, kinds in ((False, ["delete_queue", "turn"]), (True, ["turn", "finish", "delete_queue"])):
        text = PARKING.replace("id: m", "id: m, mandatory: true") if mandatory else PARKING
        found = explored_text(text, kinds=(("delete_queue", 1),), properties=("lost",))
        example = broken_by(found, "lost")
        assert example is not None
        assert [move.kind for move in example.moves] == kinds
        assert (example.broken.how == "it is deleted with parked") == mandatory
        assert replayed(found, next(item for item in found.explored.asked if item.name == "lost")).ok


def test_an_exclusive_queue_is_nobody_elses_to_delete() -> None:
    text = "queues: {q: {exclusive: true}, r: }\nconsumers: {w: {queue: r}}\nsteps: [{publish: {routing_key: r}}]\n"
    found = explored_text(text)
    world = root_of(found.scenario, found.bounds._replace(kinds=(("delete_queue", 1),)))
    assert [move.who for move in moves(world)[1]] == ["r"]
