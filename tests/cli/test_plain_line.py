"""What is read of a plain command line is what typer reads there; a plain run imports none of it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.cli import SHOES
from kits.process import loaded_by

from routesim.cli.handlers import reading_docs
from routesim.cli.shared.application import program
from routesim.cli.shared.commands import COMMANDS, command_of
from routesim.cli.shared.help import CliGroup
from routesim.cli.shared.parameters import Option, Parameter, parameters_of
from routesim.cli.shared.plain_line import MANY, call_of

PROGRAM: Any = program()


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in COMMANDS:
        found = command_of(name).function
        if isinstance(found, CliGroup):
            yield from ((f"{name} {second}", command.function) for second, command in found.commands.items())
        else:
            yield name, found


FUNCTIONS = dict(functions())
WORDS = [
    "a.yaml",
    "",
    "-",
    "--",
    "a b",
    "celery",
    "--nope",
    "-x",
    "-1",
    "7",
    "2.5",
    "a=b",
    "--format=json",
    "-fjson",
    "-qf",
    "-qfjson",
    "-q-f",
    "-j4",
    "--seed=3",
    "--quiet=1",
    "--color",
]


def options_of(name: str) -> list[str]:
    return [each for one in parameters_of(FUNCTIONS[name]) if isinstance(one.declared, Option) for each in one.declared.names]


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    name = draw(st.sampled_from(list(FUNCTIONS)))
    words = st.sampled_from(options_of(name) or WORDS) | st.sampled_from(WORDS)
    return [*name.split(), *draw(st.lists(words, max_size=6))]


def by_typer(line: list[str]) -> dict[str, Any]:
    """The values that the command's function gets; lists that are not given are None, and what is carried out at once is left out."""
    path, command, words = [], PROGRAM, list(line)
    while hasattr(command, "list_commands"):
        name, command, words = command.resolve_command(None, words)
        path.append(name)
    found = command.make_context(name, words).params
    parameters = {each.name: each for each in parameters_of(FUNCTIONS[" ".join(path)]) if not is_carried_out(each)}
    return {key: (list(found[key] or ()) or None) if each.type in MANY else found[key] for key, each in parameters.items()}


def is_word(call: Any) -> bool:
    return call.func is reading_docs.read


def is_carried_out(parameter: Parameter) -> bool:
    return isinstance(parameter.declared, Option) and "callback" in parameter.declared.told


@given(lines())
@settings(max_examples=400, deadline=None)  # typer may import long for the first value that it looks at
def test_what_is_read_is_what_typer_reads(line: list[str]) -> None:
    call = call_of(line)
    if call is None or is_word(call):
        return
    function = call.func  # type: ignore[attr-defined]
    parameters = list(parameters_of(function))
    values = dict(zip([each.name for each in parameters if not each.required], function.__defaults__ or (), strict=True))
    read = {**values, **call.keywords}  # type: ignore[attr-defined]
    assert {each.name: read[each.name] for each in parameters if not is_carried_out(each)} == by_typer(line)


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("run a.yaml", {"files": ["a.yaml"]}),
        ("run -q a.yaml - --format json -o out.json", {"files": ["a.yaml", "-"], "quiet": True, "format": "json", "output": "out.json"}),
        ("run a.yaml --message m1 -m m2", {"files": ["a.yaml"], "message": ["m1", "m2"]}),
        ("check a.json --fail-on warning", {"files": ["a.json"], "fail_on": "warning"}),
        ("import terraform a.json", {"files": ["terraform", "a.json"]}),
        ("schema", {}),
        ("run a.yaml --seed 3 --fail-under=2.5", {"files": ["a.yaml"], "seed": 3, "fail_under": 2.5}),
        ("run -qfjson -j4 a.yaml -- -b.yaml", {"files": ["a.yaml", "-b.yaml"], "quiet": True, "format": "json", "jobs": 4}),
        ("run a.yaml --output -o", {"files": ["a.yaml"], "output": "-o"}),
        ("explain topic a.b a.* #", {"key": "a.b", "patterns": ["a.*", "#"]}),
    ],
)  # fmt: skip
def test_a_plain_line(line: str, given: dict[str, Any]) -> None:
    call = call_of(line.split())
    assert call is not None
    assert call.keywords == given  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [
        "", "run", "run --help", "run a.yaml --seed x", "run a.yaml --seed -1", "run a.yaml --fail-under 101", "run a.yaml --format",
        "run a.yaml --quiet=1", "run a.yaml -q-f", "run --list", "run a.yaml --nope", "explain", "explain nope", "explain route", "explain ack x",
        "explain -- ack", "explain ack --help", "import celery proj",
        "upgrade a.yaml b.yaml", "rnu a.yaml", "--debug run a.yaml",
    ],
)  # fmt: skip
def test_a_line_that_is_not_plain(line: str) -> None:
    assert call_of(line.split()) is None


@pytest.mark.parametrize(("word", "place"), [("ack", "words#ack"), ("queue", "words#queue"), ("unroutable", "words#unroutable")])
def test_a_word_that_is_explained(word: str, place: str) -> None:
    """Be it the name of a command too, which needs more than that; typer would find the same."""
    call: Any = call_of(["explain", word])
    assert is_word(call)
    assert call.args == (place,)
    group = PROGRAM.get_command(None, "explain")
    assert group.resolve_command(None, [word])[1].params == []


def loaded_for(line: str) -> set[str]:
    return set(
        loaded_by(
            f"import sys; sys.argv = {['routesim', *line.split()]!r}\nfrom routesim.cli.main import main\n"
            "try: main()\nexcept SystemExit: pass"
        )
    )


@pytest.mark.parametrize(
    "line",
    [f"run {SHOES}", f"run {SHOES} --seed=3 -qj1", "--version", "explain topic a.b a.*", f"explain queue {SHOES} warehouse"],
)
def test_a_plain_line_imports_no_typer(line: str) -> None:
    loaded = loaded_for(line)
    assert "routesim.cli.main" in loaded
    assert {name for name in loaded if name.split(".")[0] in ("typer", "inspect", "subprocess", "urllib", "platform")} == set()


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "run --help",
        "explain topic -h",
        "explain ack",
        "run --nope",
        "run",
        "run x --seed x",
        "run x --seed",
        "graph a b",
        "rnu",
        "celery",
        "run --list",
    ],
)
def test_neither_help_nor_a_word_nor_a_refusal_imports_what_typer_judges_values_with(line: str) -> None:
    """From 0.29 on that is pydantic: longer to import than all the rest."""
    assert not {name for name in loaded_for(line) if name.split(".")[0] == "pydantic"}
