"""`task_annotations`: what an app's settings say of its tasks, over what these say of themselves (celery/app/annotations.py)."""

from typing import Any

from routesim.scenario.celery.app_workers import App
from routesim.scenario.celery.nodes import copied, made
from routesim.scenario.format.shapes import Fields
from routesim.scenario.yaml.nodes import Mapping, Node

EVERY_TASK = "*"


def annotated(name: str, given: Fields, app: App, at: Node) -> Fields:
    """The options of the task, where the annotation of its name beats its own, and that of `*` both (rules/celery#2.1)."""
    tables: Any = app.settings["task_annotations"]
    if not tables:
        return given
    found = given
    for wanted in (name, EVERY_TASK):
        tables = tables if isinstance(tables, list) else [tables]
        first = next((table[key] for table in tables for key in table if key == wanted), None)
        if first:
            found = _over(found, first, at)
    return found


def _over(given: Fields, annotation: Fields, at: Node) -> Fields:
    merged = Fields({**given, **annotation})
    merged.node = copied(given.node) if isinstance(given.node, Mapping) else made({}, at)
    for key, node in annotation.node.items():
        merged.node.pop(key, None)
        merged.node[key] = node
    return merged
