"""What of a definitions file is not in the scenario made of it, and why; and what the file had lost before (rules/routing#6)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from routesim.broker.records import PREDECLARED
from routesim.diagnostics import Diagnostic, did_you_mean
from routesim.scenario.definitions import list_form
from routesim.scenario.definitions.exporting import count
from routesim.scenario.definitions.list_form import DECLARING, items_of
from routesim.scenario.definitions.unsimulated import COMPONENTS
from routesim.scenario.yaml.json_places import find
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import scalar

# Everything else at the top of a file is left out; these only say where it comes from.
ABOUT_THE_FILE = frozenset({
    "rabbit_version", "rabbitmq_version", "product_name", "product_version", "rabbitmq_definition_format",
    "original_cluster_name", "original_vhost_name", "explanation", "metadata", "description", "tags", "default_queue_type",
})  # fmt: skip
ACCESS = ("users", "permissions", "topic_permissions")
SINGULAR = {
    "users": "user", "permissions": "permission", "topic_permissions": "topic permission", "exchanges": "exchange",
    "queues": "queue", "bindings": "binding", "policies": "policy",
}  # fmt: skip
MAX_NAMES = 5
MAX_WARNINGS = 20
OLD_REGEX = "before 3.11 the broker's export leaves out every exchange whose name begins with amq"


def named(names: Iterable[object]) -> str:
    """The first of the names, safe to stand in a comment."""
    shown = [scalar(str(name)) for name in names]
    more = f" and {len(shown) - MAX_NAMES:,} more" if len(shown) > MAX_NAMES else ""
    return ", ".join(shown[:MAX_NAMES]) + more


def left_out(data: dict[str, Any], vhost: str, warnings: Iterable[Diagnostic]) -> Iterator[str]:
    """One sentence for everything of the file that is not in the scenario, with the reason."""
    access = {section: len(list(items_of(data, section))) for section in ACCESS}
    if any(access.values()):
        parts = [count(number, SINGULAR[section]) for section, number in access.items() if number]
        yield f"{', '.join(parts)}: there is no access control here"
    yield from _parameters(data, vhost)
    yield from _other_vhosts(data, vhost)
    own = [
        str(item.get("name"))
        for section in ("exchanges", "queues")
        for item in items_of(data, section)
        if item.get("vhost", vhost) == vhost and str(item.get("name")).startswith("amq.")
    ]
    if own:
        yield f"{named(own)}: an import passes over names that begin with amq."
    passed_over = [problem for problem in warnings if problem.code == "definitions-binding"]
    for problem in passed_over[:MAX_NAMES]:
        where = f" (line {problem.place.line})" if problem.place else ""
        yield f"a binding{where}: {problem.message if problem.message.isprintable() else scalar(problem.message)}"
    if len(passed_over) > MAX_NAMES:
        yield f"{count(len(passed_over) - MAX_NAMES, 'more binding')} of this kind"
    for key in data:
        if key not in (*DECLARING, *ACCESS, "parameters", "global_parameters", "vhosts") and key not in ABOUT_THE_FILE:
            yield f"{scalar(str(key))}: " + ("limits of vhosts are not simulated" if key == "limits" else "not known to routesim")


def _other_vhosts(data: dict[str, Any], vhost: str) -> Iterator[str]:
    others: dict[str, Counter[str]] = {}
    for section in DECLARING:
        for item in items_of(data, section):
            if item.get("vhost", vhost) != vhost:
                others.setdefault(str(item["vhost"]), Counter())[section] += 1
    for name, counts in list(others.items())[:MAX_NAMES]:
        parts = [count(number, SINGULAR[section]) for section, number in counts.items()]
        yield f"vhost {scalar(name)} ({', '.join(parts)}): --vhost chooses it"
    if len(others) > MAX_NAMES:
        yield f"{len(others) - MAX_NAMES:,} more vhosts: --vhost chooses one"


def _parameters(data: dict[str, Any], vhost: str) -> Iterator[str]:
    found: dict[str, list[object]] = {}
    for item in items_of(data, "parameters"):
        if item.get("component") != "operator_policy" and item.get("vhost", vhost) == vhost:
            found.setdefault(str(item.get("component")), []).append(item.get("name"))
    for component, names in found.items():
        yield f"{scalar(component)} {named(names)}: {COMPONENTS.get(component, 'a parameter of a plugin')}"
    names = [item.get("name") for item in items_of(data, "global_parameters")]
    if names:
        yield f"{count(len(names), 'global parameter')} ({named(names)}): they belong to the cluster"
    for item in items_of(data, "vhosts"):
        if item.get("name") == vhost and item.get("limits"):
            yield "limits of the vhost: they are not simulated"


# What the broker's own export has lost -------------------------------------------------------------------------------


def lost_before(source: Source, data: dict[str, Any], vhost: str) -> Iterator[Diagnostic]:
    """What an export is known to lose, told where it shows (rules/routing#S20, rules/routing#S21, rules/routing#F14)."""
    known = {item.name for item in PREDECLARED}
    known |= {str(item.get("name")) for item in items_of(data, "exchanges") if item.get("vhost", vhost) == vhost}
    seen: set[object] = set()
    for index, item in enumerate(data.get("bindings") or () if isinstance(data.get("bindings"), list) else ()):
        if not isinstance(item, dict) or item.get("vhost", vhost) != vhost:
            continue
        ends = [item.get("source"), item.get("destination") if item.get("destination_type") == "exchange" else None]
        for name in ends:
            if (
                isinstance(name, str)
                and name not in known
                and name not in seen
                and len(seen) < MAX_WARNINGS
                and not did_you_mean(name, known)
            ):
                seen.add(name)
                why = OLD_REGEX if name.startswith("amq") else "rabbitmqctl leaves internal exchanges out of its export"
                problem = f"exchange '{name}' has bindings, but is not in the file; {why}"
                yield _warning(source, problem, ("bindings", index), "add the exchange to the file, with its type")
        arguments = item.get("arguments")
        for key, value in arguments.items() if isinstance(arguments, dict) else ():
            if value == "undefined" and len(seen) < MAX_WARNINGS:
                seen.add((index, key))
                problem = f"'{key}' is the text \"undefined\": so the broker's export writes a void, and its import reads text"
                yield _warning(
                    source, problem, ("bindings", index, "arguments", key), "write null into the scenario if it was void"
                )


def _warning(source: Source, message: str, path: list_form.Path, cure: str) -> Diagnostic:
    begin, end = find(source.text, path)
    return source.diagnostic("warning", "lost-by-export", message, *source.place(begin), end - begin, cure)
