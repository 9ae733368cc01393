"""The house: each layer imports only layers below it, there are no circles, each dependency has one owner."""

import ast
import sys
from pathlib import Path

import routesim

ROOT = Path(routesim.__file__).parent
LAYERS = [
    {
        "model", "steps", "events", "versions", "diagnostics", "values", "replies", "content", "comparisons", "tables", "text",
        "durations",
    },
    {"exchanges", "queues"},
    {"broker"},
    {"celery", "redis"},
    {"clients", "scenario", "rabbitmq"},
    {"run", "celery_app"},
    {"explain", "verify"},
    {"check", "diff", "graph"},
    {"report"},
    {"cli", "testing"},
]  # fmt: skip
LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}
OWNERS = {"yaml": {"scenario"}, "rich": {"report"}, "typer": {"cli"}, "pika": {"rabbitmq"}, "pytest": {"testing"}}
# What the layers without IO may not touch.
FORBIDDEN_BELOW = {"time", "datetime", "random", "socket", "os", "sys", "io", "subprocess", "pathlib", "asyncio", "threading"}
PURE = LAYERS[0] | LAYERS[1] | LAYERS[2] | {"redis"}  # celery calculates with dates, and asks no clock
STANDARD = set(sys.stdlib_module_names)


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported(path: Path) -> set[str]:
    """The modules that a file imports, inside functions too, with `TYPE_CHECKING` blocks left out."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


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


def test_there_are_no_circles() -> None:
    modules = {
        ".".join(("routesim", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path for path in FILES
    }
    edges = {name: {other for other in imported(path) if other in modules and other != name} for name, path in modules.items()}
    # A package's __init__ only gathers; what its own modules take from each other is what could be a circle.
    packages = {name for name, path in modules.items() if path.name == "__init__.py"}
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"circle: {' -> '.join((*path, name))}"
        if name in done:
            return
        for other in sorted(edges[name] - packages):
            walk(other, (*path, name))
        done.add(name)

    for name in sorted(modules.keys() - packages):
        walk(name, ())


def test_each_dependency_has_one_owner() -> None:
    wrong = []
    for path in FILES:
        for module in imported(path):
            top = module.split(".")[0]
            if top in OWNERS and part_of(path) not in OWNERS[top]:
                wrong.append(f"{path.relative_to(ROOT)} imports {top}")
            if part_of(path) in PURE and (top in FORBIDDEN_BELOW or (top not in STANDARD and top != "routesim")):
                wrong.append(f"{path.relative_to(ROOT)} imports {top}")
    assert wrong == []
