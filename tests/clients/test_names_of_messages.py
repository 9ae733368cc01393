"""What is named after a task: short enough for AMQP, and unlike any other, however deep tasks call tasks."""

import pytest
from kits.scenario import play

from routesim.clients.worker.messages import of_task

DEEP = "a" + "-sub-1" * 8


@pytest.mark.parametrize(
    ("id", "what", "name"),
    [
        ("a", "sub", "a-sub"),
        ("a-sub-1", "sub", "a-sub-1-sub"),
        ("a-sub-1", "retry", "a-sub-1-retry"),
        (DEEP, "sub", DEEP[:-2]),
        (DEEP[:-1] + "512", "sub", DEEP[:-2]),
        (DEEP, "retry", f"{DEEP}-retry"),
        ("x" * 255, "result", f"{'x' * 230}-result"),
        ("ü" * 127, "retry", f"{'ü' * 115}-retry"),
    ],
)
def test_the_name_of_what_a_task_publishes(id: str, what: str, name: str) -> None:
    assert of_task(id, what) == name
    assert len(f"{name}-1000000000".encode()) <= 255


def test_a_task_that_calls_itself_uses_the_budget_up_with_names_that_are_short_and_different() -> None:
    outcome = play(
        """
queues: {q: }
tasks: {t: {publish: {routing_key: q, headers: {task: t}}}}
workers: {w: {queues: q}}
steps: [{publish: {routing_key: q, id: a, headers: {task: t, id: a}}}]
""",
        "--max-events",
        "3000",
    )
    assert (outcome.status, outcome.result["ended"]) == (3, "budget")
    names = [event["message"] for event in outcome.of("published")]
    assert len(names) == len(set(names)) > 500
    assert max(map(len, names)) < 70
    assert names[:3] == ["a", "a-sub-1", "a-sub-1-sub-1"]
