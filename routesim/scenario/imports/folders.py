"""Folders of Kubernetes objects: what `kubectl apply -f FOLDER` and `kubectl apply -k FOLDER` would take."""

import os
from collections.abc import Iterator

from routesim.diagnostics import Invalid
from routesim.scenario.imports.sight import KINDS, LOOKED_AT, kind_of
from routesim.scenario.yaml.nodes import Mapping, Sequence, Text
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import Source, read_source

OPERATOR = KINDS["topology-operator"]
ENDINGS = (".yaml", ".yml", ".json")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def holds_objects(path: str) -> bool:
    """Whether a file of YAML or JSON holds Kubernetes objects, as far as its beginning tells; of any other file False."""
    if not path.endswith((*ENDINGS, *KUSTOMIZATIONS)) or not os.path.isfile(path):
        return False
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return kind_of(file.read(LOOKED_AT)) is OPERATOR
    except OSError:
        return False


def sources_in(folder: str) -> list[Source]:
    """The files with objects in a folder and below it, or, where there is a kustomization, the files that it names. Raises
    `Invalid`."""
    return [read_source(path) for path in _files(folder, set())]


def _files(folder: str, seen: set[str]) -> Iterator[str]:
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    own = next((os.path.join(folder, name) for name in KUSTOMIZATIONS if os.path.isfile(os.path.join(folder, name))), None)
    if own is not None:
        yield own
        for name in _resources(own):
            path = os.path.normpath(os.path.join(folder, name))
            if os.path.isdir(path):
                yield from _files(path, seen)
            else:
                yield path  # a missing one is told by whoever reads it
        return
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")) and name != "node_modules")
        yield from (item for name in sorted(names) if holds_objects(item := os.path.join(path, name)))


def _resources(kustomization: str) -> Iterator[str]:
    """What a kustomization takes from this machine; what it takes from elsewhere has a colon."""
    try:
        node = parse(read_source(kustomization))
    except Invalid:
        return  # said where it is read as a document
    for key in ("resources", "bases"):
        found = node.get(key) if isinstance(node, Mapping) else None
        yield from (
            str(item) for item in (found if isinstance(found, Sequence) else ()) if isinstance(item, Text) and ":" not in item
        )
