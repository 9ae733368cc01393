"""What an editor's schema says of a celery section is what the loader says."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.celery.scenes import SCENES
from kits.schema import VALIDATOR, agree, mutate, places

from routesim.scenario.definitions.list_form import plain_data
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import Source

junk = st.sampled_from([
    "", "word", "5", "-1", "1.5s", "2m", "rpc://", "0 3 * * *", "topic", "retry", 0, 1, -1, 3, 1.5, -0.5, 70000, True, False, None, [], ["a"],
    [1], {}, {"task": "add"}, {"queue": "q"}, {"a": 1}, {"every": "3s"}, {"do": "revoke", "id": "x"}, {"app": "shop"}, {"takes": "1s"},
])  # fmt: skip
keys = st.sampled_from([
    "app", "queues", "task", "every", "crontab", "schedule", "by", "id", "count", "countdown", "eta", "expires", "get", "commit", "on_commit",
    "do", "to", "rate", "ends", "runs", "takes", "calls", "apps", "workers", "tasks", "task_queues", "task_routes", "result_expires", "flower",
    "timezone", "task_qeues", "starts", "call", "control",
])  # fmt: skip


def data_of(name: str) -> Any:
    node = parse(Source("scene.yaml", SCENES[name]))
    assert node is not None
    return plain_data(node)


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_is_valid(name: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(data_of(name))] == []


@st.composite
def mutants(draw: Any) -> Any:
    data = copy.deepcopy(data_of(draw(st.sampled_from(sorted(SCENES)))))
    path = draw(st.sampled_from([path for path in places(data) if path[0] in ("celery", "steps") and len(path) > 1]))
    mutate(data, path, draw, junk, keys)
    return data


@given(mutants())
@settings(max_examples=150, deadline=None)
def test_schema_and_loader_agree_on_mutated_sections(data: Any) -> None:
    agree(data)
