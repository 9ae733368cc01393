"""A definitions file as a topology, with everything in the file that is not part of it named, and why (rules/routing#6)."""

import re
from typing import Any

from routesim.diagnostics import Diagnostic, did_you_mean
from routesim.named_tuples import NamedTuple
from routesim.scenario.definitions import list_form
from routesim.scenario.definitions.by_vhost import ByVhost
from routesim.scenario.definitions.left_out import left_out, lost_before, named
from routesim.scenario.definitions.list_form import DECLARING, items_of
from routesim.scenario.definitions.unsimulated import LEFT_OUT
from routesim.scenario.load import load_definitions
from routesim.scenario.topology_data import DeclaredTopology, topology_of
from routesim.scenario.yaml.nodes import Mapping
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import Source
from routesim.values import Table, Typed, Value

HALF_A_PAIR = re.compile(r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})")


class Imported(NamedTuple):
    """`left_out`: what of the file is not in the topology and why, one sentence each."""

    topology: DeclaredTopology
    left_out: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]


def imported(source: Source, vhost: str | None = None, *, rabbitmq: str | None = None, permit: tuple[str, ...] = ()) -> Imported:
    """The part of the file in `vhost` (None: `/`, or the only one in which something is declared). Raises `Invalid`.

    `rabbitmq`: by the rules of this known version instead of the file's own. `permit`: the deprecated features that the broker
    takes whose definitions they are.
    """
    data, node = _read(source)
    chosen = _vhost(source, data, vhost)
    scenario = load_definitions(source, data, node, chosen, rabbitmq=rabbitmq, permit=permit)
    losses = [] if node is not None else list(lost_before(source, data, chosen))
    warnings = [item for item in scenario.warnings if item.code != LEFT_OUT]  # `left_out` says it
    return Imported(
        readable(topology_of(scenario)), tuple(left_out(data, chosen, scenario.warnings)), (*warnings, *losses)
    )  # fmt: skip


def _read(source: Source) -> tuple[dict[str, Any], Mapping | None]:
    if source.text.lstrip()[:1] in ("{", "[", ""):
        data, node = list_form.read_json(source), None
        broken = next((match for match in HALF_A_PAIR.finditer(source.text) if match[1]), None)
        if broken:
            place = source.place(broken.start())
            raise source.fail("not-json", f"{broken[1]} is half of a character", *place, 6, "write both halves, or another")
    else:
        parsed = parse(source)
        data = list_form.plain_data(parsed) if parsed is not None else None
        node = parsed if isinstance(parsed, Mapping) else None
    if not isinstance(data, dict):
        raise source.fail("wrong-type", "expected a definitions file: an object with exchanges, queues, bindings", 1, 1)
    if any(key in data for key in list_form.SCENARIO_ONLY) or any(isinstance(data.get(key), dict) for key in DECLARING):
        raise source.fail(
            "wrong-type", "this is a scenario, not a definitions file", 1, 1, cure="`routesim export` goes the other way"
        )
    return data, node


# The vhost -----------------------------------------------------------------------------------------------------------


def _vhost(source: Source, data: dict[str, Any], wanted: str | None) -> str:
    declared = ByVhost(data).declared()
    known = list(dict.fromkeys([*(str(item.get("name")) for item in items_of(data, "vhosts")), *declared]))
    if wanted is not None:
        if known and wanted not in known:
            raise source.fail(
                "unknown-vhost", f"the file has no vhost '{wanted}'", 1, 1,
                cure=did_you_mean(wanted, known) or f"it has {named(known)}",
            )  # fmt: skip
        return wanted
    own = data.get("original_vhost_name")
    if isinstance(own, str) and not declared:
        return own
    if "/" in declared or not (declared or known):
        return "/"
    candidates = declared or (["/"] if "/" in known else known)
    if len(candidates) > 1:
        problem = f"the file declares something in {len(candidates)} vhosts: {named(candidates)}"
        raise source.fail("unknown-vhost", problem, 1, 1, cure="choose one with --vhost")
    return candidates[0]


# Short forms ---------------------------------------------------------------------------------------------------------


def readable(topology: DeclaredTopology) -> DeclaredTopology:
    """Without the width of integers where nothing can tell them apart: the arguments of exchanges and queues."""
    return topology._replace(
        exchanges=tuple(item._replace(arguments=_unwidened(item.arguments)) for item in topology.exchanges),
        queues=tuple(item._replace(arguments=_unwidened(item.arguments)) for item in topology.queues),
    )


def _unwidened(table: Table) -> Table:
    return {key: _integer(value) for key, value in table.items()}


def _integer(value: Value) -> Value:
    return value.value if isinstance(value, Typed) and value.type == "long" else value
