"""The `expect` section, flattened to single expectations with their lines."""

from collections.abc import Iterator
from typing import Any

from routesim.carried import said
from routesim.scenario.format.kinds import Reader
from routesim.scenario.scenario import Expectation
from routesim.scenario.sections import values_of
from routesim.scenario.sections.declared_checks import check_argument, check_deaths
from routesim.scenario.sections.names import Names
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text


def expectations(reader: Reader, names: Names, node: Node, fields: dict[str, Any]) -> tuple[Expectation, ...]:
    """One `Expectation` a leaf of the section. Names and ids in it must exist."""
    found: list[Expectation] = []
    for key, value in fields.items():
        part: Any = node[key] if isinstance(node, Mapping) else node
        if not isinstance(value, dict):
            if key == "lost_tasks":
                for item in value if isinstance(value, list) else ():
                    names.task(str(item), item)
            elif isinstance(value, list):
                _check_ids(names, part)
            found.append(Expectation(part.line, (key,), _plain(value)))
            continue
        for name, inner in value.items():
            _check_name(names, key, name)
            below = part[name]
            for field, wanted in inner.items():
                found.extend(_leaves(names, (key, str(name), str(field)), field, below[field], wanted))
    return tuple(sorted(found, key=lambda item: item.line))


def _leaves(names: Names, path: tuple[str, ...], field: Any, leaf: Any, wanted: Any) -> Iterator[Expectation]:
    """What stands under one field of a name: one expectation, or several."""
    section, what = path[0], path[2]
    if (section, what) == ("queues", "arguments"):
        for argument, value in wanted.items():
            at = next(item for item in leaf if item == argument)
            check_argument(names.reader, at)
            yield Expectation(at.line, (*path, str(argument)), value, str(argument))
    elif (section, what) == ("queues", "messages"):
        for id, carried in wanted.items():
            names.message(str(id), id)
            yield from _of_ready(names, (*path, str(id)), leaf[id], carried)
    elif section == "tasks" and what in ("worker", "started_at", "ended_at"):
        for item in wanted if what == "worker" else ():
            names.worker(str(item), item)
        yield Expectation(leaf.line, path, _plain(wanted), isinstance(leaf, Sequence))
    else:
        if section == "messages":
            names.queue(what, field if isinstance(field, Text) else leaf)
        if section == "tasks" and what == "queue":
            names.queue(str(wanted), wanted)
        if isinstance(wanted, list):
            _check_ids(names, leaf)
        yield Expectation(leaf.line, path, _plain(wanted))


def _of_ready(names: Names, path: tuple[str, ...], node: Node, fields: dict[str, Any]) -> Iterator[Expectation]:
    """What one ready message of a queue carries."""
    for field, wanted in fields.items():
        leaf: Any = node[field] if isinstance(node, Mapping) else node
        where = (*path, str(field))
        if field == "deaths":
            check_deaths(names, leaf)
            for item, at in zip(values_of.deaths(wanted), leaf if isinstance(leaf, Sequence) else [leaf], strict=True):
                yield Expectation(at.line, (*path, said(item)), item.times, item)
        elif field == "has_header":
            for name in wanted:
                yield Expectation(name.line, (*where, str(name)), True, str(name))
        elif field in ("header", "headers"):
            for name, value in wanted.items():
                at = next(key for key in leaf if key == name)
                yield Expectation(at.line, (*where, str(name)), value, str(name))
        else:
            yield Expectation(leaf.line, where, wanted)


def _check_name(names: Names, section: str, name: Text) -> None:
    if section == "queues":
        names.queue(str(name), name)
    elif section == "consumers":
        names.consumer(str(name), name)
    elif section == "tasks":
        names.task(str(name), name)
    elif section == "chords":
        names.chord(str(name), name)
    elif section == "workers":
        names.worker(str(name), name)
    else:
        names.message(str(name), name)


def _check_ids(names: Names, node: Node) -> None:
    for item in node if isinstance(node, Sequence) else ():
        if isinstance(item, Text):
            names.message(str(item), item)


def _plain(value: Any) -> Any:
    """Without the places that texts carry."""
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return str(value) if isinstance(value, str) else value
