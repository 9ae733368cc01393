"""What of a definitions file needs a plugin, without which a broker refuses the whole import, and upstreams that are nowhere."""

from collections.abc import Iterator
from typing import Any

from routesim.broker.policies import POLICY_KEYS
from routesim.scenario.definitions.access import AccessProblem
from routesim.scenario.definitions.list_form import Path, items_of

PLUGINS = {
    "shovel": "rabbitmq_shovel", "federation-upstream": "rabbitmq_federation", "federation-upstream-set": "rabbitmq_federation",
    "federation": "rabbitmq_federation", "sharding": "rabbitmq_sharding",
}  # fmt: skip
ALL = "all"  # the set of all upstreams, which is there by itself


def plugin_findings(data: dict[str, Any], vhost: str) -> Iterator[tuple[str, AccessProblem]]:
    """Each with its code, one a plugin; and policies whose upstream the file does not declare."""
    told: set[str] = set()
    for path, what, plugin in _needs(data, vhost):
        if plugin not in told:
            told.add(plugin)
            text = f"{what} needs the plugin {plugin}, without which the broker refuses the whole import"
            yield "plugin-needed", AccessProblem("note", path, text, "enable it on every node before the import")
    known: dict[str, set[Any]] = {"federation-upstream": set(), "federation-upstream-set": {ALL}}
    for item in items_of(data, "parameters"):
        component, name = item.get("component"), item.get("name")
        if item.get("vhost", vhost) == vhost and isinstance(component, str) and component in known and isinstance(name, str):
            known[component].add(name)
    for index, item in enumerate(_list(data, "policies")):
        for key, names in known.items():
            wanted = _definition(item, vhost).get(key)
            if isinstance(wanted, str) and (wanted not in names or (wanted == ALL and not known["federation-upstream"])):
                text = (
                    f"policy '{item.get('name')}' federates with {key} '{wanted}', which the file does not declare: nothing comes"
                )
                where: Path = ("policies", index, "definition", key)
                yield "upstream-missing", AccessProblem("warning", where, text, "add it to the parameters, or mend its name")


def _needs(data: dict[str, Any], vhost: str) -> Iterator[tuple[Path, str, str]]:
    for index, item in enumerate(_list(data, "parameters")):
        component = item.get("component")
        if item.get("vhost", vhost) == vhost and isinstance(component, str) and component in PLUGINS:
            yield ("parameters", index), f"{component} '{item.get('name')}'", PLUGINS[component]
    for index, item in enumerate(_list(data, "policies")):
        for key in _definition(item, vhost):
            row = POLICY_KEYS.get(key)
            if row is not None and row.module in PLUGINS:
                yield ("policies", index, "definition", key), f"{key} of policy '{item.get('name')}'", PLUGINS[row.module]


def _definition(item: Any, vhost: str) -> dict[str, Any]:
    found = item.get("definition") if item.get("vhost", vhost) == vhost else None
    return found if isinstance(found, dict) else {}


def _list(data: dict[str, Any], section: str) -> list[dict[str, Any]]:
    """The items by their index: what is no object counts as an empty one."""
    found = data.get(section)
    return [item if isinstance(item, dict) else {} for item in found] if isinstance(found, list) else []
