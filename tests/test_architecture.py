"""The house: each layer imports only layers below it, there are no circles, each dependency has one owner."""

import ast
import sys
from collections import Counter
from pathlib import Path

import routesim

ROOT = Path(routesim.__file__).parent
LAYERS = [
    {path.stem for path in ROOT.glob("[!_]*.py")} | {"patterns", "versions"},  # the modules beside the packages
    {"exchanges", "queues", "amqp"},
    {"broker"},
    {"celery", "redis"},
    {"clients", "scenario", "rabbitmq"},
    {"run", "celery_app", "imports"},
    {"explain", "recording", "verify"},
    {"check", "diff", "graph", "serve", "explore"},
    {"report"},
    {"control"},
    {"cli", "testing"},
]
LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}
# Who may import what, inside functions too. The wall clock: a run against a real broker, and what a person waits for.
OWNERS = {
    "yaml": {"scenario"},
    "rich": {"report"},
    "typer": {"cli"},
    "pika": {"rabbitmq"},
    "socket": {"rabbitmq", "serve"},
    "ssl": {"rabbitmq", "serve"},
    "http": {"rabbitmq", "serve", "control"},
    "h11": {"control"},
    "time": {"rabbitmq", "serve", "cli"},
    "pytest": {"testing"},
    "pamqp": {"amqp"},
    "distributed": {"cli"},
}
MOST_FILES = 20  # in one folder
# Circles that are being cut; an entry that is no circle any more fails.
KNOWN_CIRCLES = []
# Names of classes that stand for different things: each an exception, at most five.
TWICE_NAMED = {"Declared"}
# What the layers without IO may not touch.
FORBIDDEN_BELOW = {"time", "datetime", "random", "socket", "os", "sys", "io", "subprocess", "pathlib", "asyncio", "threading"}
PURE = LAYERS[0] | LAYERS[1] | LAYERS[2] | {"redis"}  # celery calculates with dates, and asks no clock
STANDARD = {*sys.stdlib_module_names, "annotationlib"}  # the latter from Python 3.14 on


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported(path: Path) -> set[str]:
    """The modules that a file imports: inside functions too, and for types alone too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


# What the server may know of the engine: the engine itself, what it hands out and what it keeps; no rule of routing or queueing.
SERVE_MAY_ASK = {
    "routesim.broker.rabbit_broker.RabbitBroker", "routesim.broker.ChannelEnded", "routesim.broker.ConsumerEnded",
    "routesim.broker.records.PublishOutcome", "routesim.queues.Delivery",
}  # fmt: skip
RULES = ("routesim.broker", "routesim.queues", "routesim.exchanges", "routesim.redis", "routesim.clients", "routesim.celery")
FILES = sorted(ROOT.rglob("*.py"))


def test_every_part_has_a_layer() -> None:
    parts = {part_of(path) for path in FILES} - {"__init__", "__main__"}
    assert parts <= LAYER.keys(), parts - LAYER.keys()


def test_each_layer_imports_only_layers_below_it() -> None:
    wrong = []
    for path in FILES:
        here = part_of(path)
        for module in imported(path):
            names = module.split(".")
            if names[0] != "routesim" or len(names) == 1 or names[1] not in LAYER or here not in LAYER or names[1] == here:
                continue
            if LAYER[names[1]] >= LAYER[here] and not (LAYER[here] == 0 and LAYER[names[1]] == 0):
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_no_rule_of_routing_or_queueing_stands_in_the_server() -> None:
    asked = {module for path in FILES if part_of(path) == "serve" for module in imported(path) if module.startswith(RULES)}
    modules = {name.rpartition(".")[0] for name in SERVE_MAY_ASK}
    assert asked - modules == SERVE_MAY_ASK


def graph() -> dict[str, set[str]]:
    """Each module with those that it imports. A package's __init__ only gathers, and is left out."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES if path.name != "__init__.py"}
    return {
        name: {
            other for other in (item.removeprefix("routesim.") for item in imported(path)) if other in modules and other != name
        }
        for name, path in modules.items()
    }


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules, each of which imports the others of its group, at a remove too."""
    reach: dict[str, set[str]] = {}
    for name in edges:
        todo, seen = [name], set()
        while todo:
            for other in edges[todo.pop()] - seen:
                seen.add(other)
                todo.append(other)
        reach[name] = seen
    groups = {frozenset(other for other in reach[name] if name in reach[other]) for name in edges}
    return [set(group) for group in groups if group]


def test_there_are_no_circles() -> None:
    assert sorted(map(sorted, circles(graph()))) == sorted(map(sorted, KNOWN_CIRCLES))


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == [{"b", "c"}]


def test_no_folder_is_too_full() -> None:
    full = Counter(path.parent.relative_to(ROOT).as_posix() for path in FILES if path.name != "__init__.py")
    assert {folder: count for folder, count in full.items() if count > MOST_FILES} == {}


def test_a_class_name_stands_for_one_thing() -> None:
    names = Counter(
        node.name for path in FILES for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.ClassDef)
    )
    assert {name for name, count in names.items() if count > 1} == TWICE_NAMED
    assert len(TWICE_NAMED) <= 5


def test_no_module_name_stands_for_three_things() -> None:
    names = Counter(path.stem for path in FILES if not path.stem.startswith("__"))
    assert {name: count for name, count in names.items() if count > 2} == {}


def test_each_dependency_has_one_owner() -> None:
    wrong = []
    for path in FILES:
        for module in imported(path):
            top = module.split(".")[0]
            if top in OWNERS and part_of(path) not in OWNERS[top]:
                wrong.append(f"{path.relative_to(ROOT)} imports {top}")
            owned = part_of(path) in OWNERS.get(top, ())
            if part_of(path) in PURE and (top in FORBIDDEN_BELOW or (top not in STANDARD and top != "routesim" and not owned)):
                wrong.append(f"{path.relative_to(ROOT)} imports {top}")
    assert wrong == []
