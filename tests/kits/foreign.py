"""Files of other programs, read as `routesim import KIND` reads them."""

import textwrap
from typing import Any

import pytest

from routesim.diagnostics import Diagnostic, Invalid
from routesim.scenario.definitions.importing import Imported
from routesim.scenario.imports.importing import imported_from
from routesim.scenario.imports.sight import KINDS
from routesim.scenario.topology_data import DeclaredTopology
from routesim.scenario.yaml.source import Source


def read(kind: str, *texts: str, vhost: str | None = None, rabbitmq: str | None = None, file: str = "file.yaml") -> Imported:
    """What the texts declare; of two the second is `file-2.yaml`. Raises `Invalid`."""
    stem, _, ending = file.rpartition(".")
    sources = [
        Source(f"{stem}-{number}.{ending}" if number > 1 else file, textwrap.dedent(text)) for number, text in enumerate(texts, 1)
    ]
    return imported_from(KINDS[kind], sources, vhost, rabbitmq=rabbitmq)


def topology(kind: str, *texts: str, **options: Any) -> DeclaredTopology:
    return read(kind, *texts, **options).topology


def refused(kind: str, *texts: str, **options: Any) -> list[Diagnostic]:
    """The errors for which the texts are refused."""
    with pytest.raises(Invalid) as refusal:
        read(kind, *texts, **options)
    return [item for item in refusal.value.diagnostics if item.severity == "error"]


def told(kind: str, *texts: str, **options: Any) -> list[str]:
    """The errors as `file:line:column code message; cure`."""
    return [
        f"{item.place.file}:{item.place.line}:{item.place.column} {item.code} {item.message}"
        + (f"; {item.cure}" if item.cure else "")
        for item in refused(kind, *texts, **options)
        if item.place is not None
    ]


def declared(topology: DeclaredTopology) -> dict[str, list[Any]]:
    """What is declared, in an order that is the same for the same topology."""
    return {
        "exchanges": sorted(
            (item.name, item.type, item.durable, item.auto_delete, item.internal, _table(item)) for item in topology.exchanges
        ),
        "queues": sorted((item.name, item.durable, item.exclusive, item.auto_delete, _table(item)) for item in topology.queues),
        "bindings": sorted((*item[:4], _table(item)) for item in topology.bindings),
    }


def _table(item: Any) -> str:
    return repr(sorted(item.arguments.items()))
