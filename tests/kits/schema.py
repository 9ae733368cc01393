"""The JSON Schema beside the loader: what each says of the same data."""

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kits.paths import SCENARIOS
from routesim.diagnostics import Diagnostic, Invalid
from routesim.scenario import schema
from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import scalar

VALIDATOR = jsonschema.Draft202012Validator(schema.schema())
# What only the loader can tell: what refers to something else, what is counted in bytes, what RabbitMQ decides.
LOADER_ALONE = {
    "unknown-queue", "unknown-exchange", "unknown-consumer", "unknown-message", "unknown-channel", "unknown-policy",
    "unknown-version", "unknown-vhost", "unreadable-file", "includes-itself", "duplicate-id", "duplicate-consumer", "too-long",
    "refused", "not-simulated", "celery-beside-list", "celery-raises", "duplicate-name", "endless-beat", "no-celery", "no-results",
    "too-large", "unknown-app", "unknown-chord", "unknown-producer", "unknown-task", "unknown-worker", "which-app", "wrong-crontab", "wrong-time",
    "auto-ack-answer", "definitions-null", "definitions-no-vhost", "definitions-binding",
}  # fmt: skip


def written(data: Any) -> str:
    """YAML in one line. Nothing is written for a null."""
    if isinstance(data, str):
        return scalar(data)
    if isinstance(data, dict):
        return "{" + ", ".join(f"{scalar(key)}: {written(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(written(item) or "~" for item in data) + "]"
    return "" if data is None else json.dumps(data)


def errors_of(text: str) -> list[Diagnostic]:
    try:
        load_source(Source("scene.yaml", text), str(SCENARIOS))
    except Invalid as invalid:
        return [item for item in invalid.diagnostics if item.severity == "error"]
    return []


def agree(data: Any) -> None:
    found = errors_of(written(data))
    errors = [item for item in found if item.code not in LOADER_ALONE]
    said = [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(data)]
    of_type = said and any(item.code in {"refused", "not-simulated"} for item in found)  # a type that there is not
    assert bool(said) == bool(errors or of_type), (said, errors, data)


def places(data: Any, path: tuple[Any, ...] = ()) -> Any:
    """Every value with its path, the scenario itself aside."""
    if path:
        yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(value, (*path, key))


def mutate(
    data: Any, path: tuple[Any, ...], draw: Callable[[Any], Any], junk: SearchStrategy[Any], keys: SearchStrategy[str]
) -> None:
    """Change the data at that path: it is replaced by junk or removed, or junk is put beside it, or it gets another of the keys."""
    parent = data
    for part in path[:-1]:
        parent = parent[part]
    what = draw(st.sampled_from(["replace", "remove", "add", "rename"]))
    value = copy.deepcopy(draw(junk))
    if isinstance(parent, list):
        if what == "remove":
            del parent[path[-1]]
        else:
            parent[path[-1]] = "word" if value is None else value
    elif what == "remove":
        del parent[path[-1]]
    elif what == "replace":
        parent[path[-1]] = value
    else:
        key = draw(keys)
        if key not in parent:
            parent[key] = parent.pop(path[-1]) if what == "rename" else value
