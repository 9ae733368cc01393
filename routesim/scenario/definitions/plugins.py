"""What of a definitions file needs a plugin, without which a broker refuses the whole import, and upstreams that are nowhere."""

from collections.abc import Iterator
from typing import Any

from routesim.broker.policies import POLICY_KEYS
from routesim.scenario.definitions.access import AccessProblem
from routesim.scenario.definitions.by_vhost import ByVhost
from routesim.scenario.definitions.list_form import Path

PLUGINS = {
    "shovel": "rabbitmq_shovel", "federation-upstream": "rabbitmq_federation", "federation-upstream-set": "rabbitmq_federation",
    "federation": "rabbitmq_federation", "sharding": "rabbitmq_sharding",
}  # fmt: skip
ALL = "all"  # the set of all upstreams, which is there by itself


def plugin_findings(by_vhost: ByVhost, vhost: str) -> Iterator[tuple[str, AccessProblem]]:
    """Each with its code, one a plugin; and policies whose upstream the file does not declare."""
    told: set[str] = set()
    for path, what, plugin in _needs(by_vhost, vhost):
        if plugin not in told:
            told.add(plugin)
            text = f"{what} needs the plugin {plugin}, without which the broker refuses the whole import"
            yield "plugin-needed", AccessProblem("note", path, text, "enable it on every node before the import")
    known: dict[str, set[Any]] = {"federation-upstream": set(), "federation-upstream-set": {ALL}}
    for _, item in by_vhost.items("parameters", vhost):
        component, name = item.get("component"), item.get("name")
        if isinstance(component, str) and component in known and isinstance(name, str):
            known[component].add(name)
    for index, item in by_vhost.items("policies", vhost):
        for key, names in known.items():
            wanted = _definition(item).get(key)
            if isinstance(wanted, str) and (wanted not in names or (wanted == ALL and not known["federation-upstream"])):
                text = (
                    f"policy '{item.get('name')}' federates with {key} '{wanted}', which the file does not declare: nothing comes"
                )
                where: Path = ("policies", index, "definition", key)
                yield "upstream-missing", AccessProblem("warning", where, text, "add it to the parameters, or mend its name")


def _needs(by_vhost: ByVhost, vhost: str) -> Iterator[tuple[Path, str, str]]:
    for index, item in by_vhost.items("parameters", vhost):
        component = item.get("component")
        if isinstance(component, str) and component in PLUGINS:
            yield ("parameters", index), f"{component} '{item.get('name')}'", PLUGINS[component]
    for index, item in by_vhost.items("policies", vhost):
        for key in _definition(item):
            row = POLICY_KEYS.get(key)
            if row is not None and row.module in PLUGINS:
                yield ("policies", index, "definition", key), f"{key} of policy '{item.get('name')}'", PLUGINS[row.module]


def _definition(item: dict[str, Any]) -> dict[str, Any]:
    found = item.get("definition")
    return found if isinstance(found, dict) else {}
