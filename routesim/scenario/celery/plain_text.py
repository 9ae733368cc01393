"""An expanded scenario as the text of a plain one, with a comment on each part."""

import os
import re
from collections.abc import Iterator
from typing import Any

from routesim.durations import WITH_UNIT
from routesim.scenario.celery.alike_calls import written_step
from routesim.scenario.celery.expansion import Expanded
from routesim.scenario.format.kinds import AMBIGUOUS, FALSE, FLOAT, INTEGER, NULLS, TRUE, YAML_1_1_BOOLEANS
from routesim.scenario.steps.alike import AlikeStep
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.scenario.yaml.writing import NOTHING, Bare, OneLine, WrittenItem, json_text, lines, scalar

WORDS = TRUE | FALSE | NULLS | YAML_1_1_BOOLEANS
ORDER = (
    "exchanges", "queues", "bindings", "channels", "consumers", "tasks", "workers", "steps", "until", "routes", "never", "expect",
)  # fmt: skip
DURATION = re.compile(WITH_UNIT)


def expanded_lines(expanded: Expanded, file: str, folder: str = "", *, ascii: bool = False) -> Iterator[str]:
    """A scenario that runs to the very same events. `folder` is that of the file, seen from where the text will be. `ascii`:
    in ASCII alone."""
    root = expanded.root
    sections: dict[str, Any] = {}
    if "name" not in root:
        sections["name"] = os.path.splitext(os.path.basename(file))[0]
    for name in sorted(root, key=_place):
        sections[str(name)] = _section(expanded, str(name), root[name])
    if folder and "definitions" in sections:
        given = sections["definitions"].value
        paths = [str(path) for path in (given if isinstance(given, list) else [given])]
        sections["definitions"] = OneLine([os.path.join(folder, path) for path in paths])
    yield from lines(sections, _head(expanded, file), ascii=ascii)


def _place(name: str) -> int:
    """Where a section stands: what the scenario is, what is declared, what happens, what must be so."""
    return ORDER.index(name) if name in ORDER else -1


def _head(expanded: Expanded, file: str) -> Iterator[str]:
    yield f"{scalar(os.path.basename(file))} with Celery's words expanded. It runs as it is, to the very same events."
    for app, names in expanded.ignored.items():
        if names:
            yield f"Settings of app {app} that change nothing about messages: {', '.join(names)}."


def _section(expanded: Expanded, name: str, node: Node) -> Any:
    if name == "steps" and expanded.steps:
        return [WrittenItem(step.comment, None, data_of(step.node)) for step in expanded.steps]
    parts = [part for part in expanded.parts if part.section == name]
    if not parts:
        return OneLine(data_of(node))
    comments = {str(part.name) if part.name is not None else id(part.node): part.comment for part in parts}
    if isinstance(node, Sequence):
        return [WrittenItem(comments.get(id(item), ""), None, data_of(item)) for item in node]
    assert isinstance(node, Mapping)
    return [WrittenItem(comments.get(str(key), ""), str(key), data_of(item)) for key, item in node.items()]


def written_out(step: AlikeStep) -> Mapping:
    """A step that is like another one, as the node that it stands for."""
    return written_step(step.publish, step.value["channel"], step.after_ms, step.first)


def data_of(node: Node | AlikeStep) -> Any:
    """A node as what `writing` writes, so that it is read back as this node."""
    if isinstance(node, AlikeStep):
        node = written_out(node)
    if isinstance(node, Mapping):
        return {str(key): data_of(item) for key, item in node.items()}
    if isinstance(node, Sequence):
        return [data_of(item) for item in node]
    assert isinstance(node, Text)
    if not node.plain:
        return Bare(node) if DURATION.fullmatch(node) else json_text(node)
    if not node:
        return NOTHING
    bare = node in WORDS or any(form.fullmatch(node) for form in (INTEGER, FLOAT, AMBIGUOUS, DURATION))
    return Bare(node) if bare else str(node)
