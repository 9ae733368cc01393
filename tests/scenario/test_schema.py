"""The JSON Schema and the loader say the same of every scenario, as far as a schema can know."""

import copy
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.paths import ALL_SCENARIO_FILES
from kits.scenario import routesim
from kits.schema import VALIDATOR, agree, errors_of, mutate, places, written

from routesim.broker.policies import POLICY_KEYS
from routesim.queues.arguments import ARGUMENTS
from routesim.scenario import schema
from routesim.scenario.definitions.list_form import plain_data
from routesim.scenario.format import whole
from routesim.scenario.format.kinds import Kind
from routesim.scenario.format.shapes import ListOf, MapOf, Shape
from routesim.scenario.steps.verbs import NAMES, kind_of
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import read_source

SHIPPED = Path(schema.__file__).with_name("schema.json")


def test_the_shipped_file_is_current() -> None:
    """`routesim schema --output routesim/scenario/schema.json` renews it."""
    assert SHIPPED.read_text(encoding="utf-8") == schema.text()


def test_the_command_prints_the_schema() -> None:
    outcome = routesim("schema")
    assert (outcome.status, outcome.out, outcome.err) == (0, schema.text(), "")


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.schema())


def data_of(path: Path) -> Any:
    node = parse(read_source(str(path)))
    assert node is not None
    return plain_data(node)


@pytest.mark.parametrize("path", ALL_SCENARIO_FILES, ids=lambda path: path.stem)
def test_every_scenario_is_valid(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(data_of(path))] == []


def described(kind: Kind, done: set[int]) -> Any:
    """Every field of every shape that a scenario can hold."""
    if id(kind) in done:
        return
    done.add(id(kind))
    if isinstance(kind, Shape):
        yield from ((kind.what, name, field) for name, field in kind.fields.items())
        for field in kind.fields.values():
            yield from described(field.kind, done)
    elif isinstance(kind, (ListOf, MapOf)):
        yield from described(kind.item, done)


def test_an_editor_finds_help_on_every_key() -> None:
    made = schema.schema()
    parts = [made, *made["$defs"].values()]
    for kind in (whole.SCENARIO, *map(kind_of, NAMES)):
        for _, name, field in described(kind, set()):
            assert any(part.get("properties", {}).get(name, {}).get("description") == field.doc for part in parts), name
    arguments = made["$defs"]["queue"]["properties"]["arguments"]["properties"]
    assert set(arguments) == set(ARGUMENTS)
    said = {name: arguments[name]["description"] for name in ("x-message-ttl", "x-consumer-timeout", "x-max-age", "x-queue-type")}
    assert said == {
        "x-message-ttl": "Of queues of type classic, quorum. In ms. The policy key message-ttl sets it too.",
        "x-consumer-timeout": "Of queues of type quorum (from RabbitMQ 4.3.2). In ms. The policy key consumer-timeout sets it too.",
        "x-max-age": "Of queues of type stream. The policy key max-age sets it too.",
        "x-queue-type": "Of queues of type classic, quorum, stream. No policy sets it.",
    }


@pytest.mark.parametrize(
    ("part", "field", "known", "unknown", "other"),
    [
        ("queue", "arguments", ARGUMENTS, ["x-mesage-ttl", "x-message-ttl2", "x-message", "x-my-own"], ["my-own", "purpose"]),
        ("policy", "definition", POLICY_KEYS, ["mesage-ttl", "ttl"], []),
    ],
)
def test_an_editor_warns_of_names_that_nobody_reads(
    part: str, field: str, known: Any, unknown: list[str], other: list[str]
) -> None:
    ((pattern, marked),) = schema.schema()["$defs"][part]["properties"][field]["patternProperties"].items()
    assert "Is it spelt right?" in marked["deprecationMessage"]
    assert [name for name in (*known, *unknown, *other) if re.search(pattern, name)] == unknown


# One verdict ---------------------------------------------------------------------------------------------------------


junk = st.sampled_from([
    "", "word", "5", "-1", "topic", "ack", "yes", "1.5s", "2m", ">= 3", "é" * 150, 0, 1, -1, 5, 300, 65535, 65536, 2**31, 2**63, 1.5, -0.5,
    True, False, None, [], ["m1"], [5], [[]], [{}], {}, {"a": 1}, {"long": 5}, {"long": "x"}, {"byte": 300}, {"timestamp": -1},
    {"void": None}, {"bool": 5}, {"table": {"a": 1}}, {"array": 5}, {"queue": "q"}, {"do": "ack"}, {"routing_key": "a"},
])  # fmt: skip
keys = st.sampled_from([
    "typ", "type", "durable", "arguments", "queue", "exchange", "prefetch", "takes", "after", "do", "channel", "message", "count", "ready",
    "fails", "wait", "routes", "never", "publish", "ended", "routing_key", "source", "celery", "steps", "bindings", "",
])  # fmt: skip


@st.composite
def mutants(draw: Any) -> Any:
    data = copy.deepcopy(draw(st.sampled_from([data_of(path) for path in ALL_SCENARIO_FILES])))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(places(data)) or [()]))
        if not path:
            continue
        mutate(data, path, draw, junk, keys)
    return data


@given(mutants())
@settings(max_examples=400, deadline=None)
def test_schema_and_loader_agree_on_mutated_scenarios(data: Any) -> None:
    if data:
        agree(data)


def test_a_name_of_256_letters_is_too_long_for_both() -> None:
    """The schema counts letters and the loader bytes: what is too long for the one is so for the other."""
    for data in (
        {"queues": {"q" * 256: None}},
        {"exchanges": {"x": "t" * 256}},
        {"steps": [{"publish": {"routing_key": "k" * 256}}]},
    ):
        assert list(VALIDATOR.iter_errors(data))
        assert "too-long" in {item.code for item in errors_of(written(data))}


@pytest.mark.parametrize(
    "data",
    [
        {"queues": {"q": {"durabel": True}}}, {"queues": {"q": None}}, {"queues": {"q": {"durable": "true"}}}, {"queues": ["q"]},
        {"queues": [{"name": "q", "durable": True, "auto_delete": False, "node": 5}]}, {"queues": [{"durable": True}]},
        {"queues": {"q": {"type": "quorum"}}}, {"queues": {"q": {"type": "quorun"}}}, {"exchanges": {"x": "topics"}}, {"exchanges": {"x": {"type": "topics"}}},
        {"steps": [{"declare": {"exchanges": {"x": "topics"}}, "fails": 503}]}, {"exchanges": {"x": None}}, {"exchanges": {"x": "x-random"}},
        {"exchanges": {"x": "topic"}}, {"exchanges": {"x": ["topic"]}}, {"exchanges": [{"name": "x"}]},
        {"bindings": [{"source": "amq.topic"}]}, {"bindings": [{"source": "amq.topic", "destination": "q", "key": "a"}]},
        {"consumers": {"c": {"queue": "q", "prefetch": 65536}}}, {"consumers": {"c": {"queue": "q", "on_message": "eat"}}},
        {"consumers": {"c": {"queue": "q", "on_message": [{"do": "crash", "after": "1s"}]}}},
        {"consumers": {"c": {"queue": "q", "on_message": [{"after": "1s"}]}}}, {"consumers": {"c": {"queue": "q", "takes": "soon"}}},
        {"consumers": {"c": {"queue": "q", "on_message": [{"publish": {"headers": "copy"}}]}}}, {"steps": [{"publish": None}]},
        {"steps": [{"publish": {}, "wait": "1s"}]}, {"steps": [{"fails": 404}]}, {"steps": [{"publish": {"headers": "copy"}}]},
        {"steps": [{"ack": {"channel": "c"}}]}, {"steps": [{"ack": {"channel": "c", "delivery_tag": 1}}]},
        {"steps": [{"nack": {"channel": "c", "multiple": True}}]}, {"steps": [{"delete": {}}]}, {"steps": [{"expect": {"ended": "idle"}}]},
        {"expect": {"ended": "idle"}}, {"expect": {"ended": "never"}}, {"expect": {"lost": ">= 0"}}, {"expect": {"lost": "many"}},
        {"until": "idle"}, {"until": "5s"}, {"until": "tea"}, {"until": 5}, {"until": -5}, {"seed": 2**63}, {"seed": 1.5},
        {"definitions": "celery-definitions.json"}, {"definitions": ["celery-definitions.json"]}, {"celery": {}}, {"celery": {"apps": {"a": None}}}, {"celery": {"apps": {"a": {"task_queue": 1}}}}, {"celery": {"apps": {"a": {"task_serializer": 1}}}},
        {"celery": {"apps": {"a": {"result_expires": "5s", "task_routes": [{"x": "q"}, {"y": {"queue": "z", "prio": 1}}]}}}},
        {"celery": {"apps": {"a": None}, "tasks": {"t": {"runs": [{"id": "x", "ends": "retry"}]}}}}, {"celery": {"apps": {"a": None}, "tasks": {"t": {"runs": [{"idd": "x"}]}}}},
        {"celery": {"apps": {"a": None}}, "steps": [{"call": {"task": "t", "countdown": 5, "eta": "2026-01-01"}}]}, {"celery": {"apps": {"a": None}}, "steps": [{"control": {"do": "revoke"}}]},
        {"celery": {"apps": {"a": None}, "beats": {"b": {"schedule": {"e": {"task": "t"}}}}}, "until": "5s"}, {"celery": {"apps": {"a": None}}, "steps": [{"flower": "jump"}]},
        {"celery": {"apps": {"a": None}}, "steps": [{"call": {"task": "t", "on_commit": True}}]}, {"celery": {"apps": {"a": None}, "workers": {"w": {"concurrency": 0}}}},
        {"rabbitmq": 4.1}, {"explore": {"failures": None}}, {"explore": {"failures": {}}}, {"explore": {"failures": -1}},
        {"explore": {"failures": {"crash": None}}}, {"explore": {"failures": {"nonsense": 1}}}, {"explore": {"failures": "crash"}},
        {"explore": None}, {"explore": {"properties": None, "breaks": []}}, {"consumers": {"c": {"queue": "q", "on_message": None}}},
        {"queues": {"q": {"arguments": {"a": {"byte": 128}}}}}, {"queues": {"q": {"arguments": {"a": {"byte": 127}}}}},
        {"queues": {"q": {"arguments": {"a": {"decimal": "1.25"}}}}}, {"queues": {"q": {"arguments": {"a": {"decimal": "x"}}}}},
        {"routes": [{"queues": []}]}, {"routes": [{"queues": "q", "headers": {"a": 1}}]}, {"routes": [{"exchange": "x"}]}, {"routes": {}},
        {"routes": [{"queues": [], "key": "a"}]}, {"routes": None}, {"routes": [{"queues": None}]}, {"routes": [{"queues": [[]]}]},
        {"never": [{"reaches": "q"}]}, {"never": [{"reaches": []}]}, {"never": [{"reaches": "q", "queues": "q"}]}, {"never": [{}]},
        {"never": [{"lost": True}]}, {"never": [{"lost": False}]}, {"never": [{"lost": True, "delivered": "> 3"}]}, {"never": ["lost"]},
        {"never": [{"delivered": ">= 3", "messages": ["m1"]}]}, {"never": [{"delivered": 3}]}, {"never": [{"delivered": "< 3"}]},
        {"never": [{"waits": "> 1.5s", "queues": ["q"]}]}, {"never": [{"waits": "> tea"}]}, {"never": [{"waits": "> 5"}]}, {"never": None},
        {"never": [{"lost": True, "messages": []}]}, {"never": [{"lost": True, "queues": None}]},
        {"queues": {"q": {"arguments": {"a": 2**63}}}}, {"queues": {"q": {"arguments": {"a": [None, 1.5, {"b": {"c": True}}]}}}},
    ],
    ids=written,
)  # fmt: skip
def test_schema_and_loader_agree(data: Any) -> None:
    agree(data)
