"""What is read of a plain command line is what typer reads there; a plain run imports none of it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.cli import SHOES
from kits.process import loaded_by

from routesim.cli.shared.application import program
from routesim.cli.shared.commands import COMMANDS, command_of
from routesim.cli.shared.parameters import Option, Parameter, parameters_of
from routesim.cli.shared.plain_line import MANY, call_of

PROGRAM: Any = program()
SINGLE = [name for name in COMMANDS if hasattr(command_of(name).function, "__code__")]
WORDS = ["a.yaml", "", "-", "--", "a b", "celery", "--nope", "-x", "-1", "7", "a=b", "--format=json", "-fjson", "-qf", "--color"]


def options_of(name: str) -> list[str]:
    return [
        each
        for one in parameters_of(command_of(name).function)
        if isinstance(one.declared, Option)
        for each in one.declared.names
    ]


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    name = draw(st.sampled_from(SINGLE))
    words = st.sampled_from(options_of(name) or WORDS) | st.sampled_from(WORDS)
    return [*name.split(), *draw(st.lists(words, max_size=6))]


def by_typer(line: list[str]) -> dict[str, Any]:
    """The values that the command's function gets; lists that are not given are None, and what is carried out at once is left out."""
    name, command, words = PROGRAM.resolve_command(None, list(line))
    found = command.make_context(name, words).params
    parameters = {each.name: each for each in parameters_of(command_of(name).function) if not is_carried_out(each)}
    return {key: (list(found[key] or ()) or None) if each.type in MANY else found[key] for key, each in parameters.items()}


def is_carried_out(parameter: Parameter) -> bool:
    return isinstance(parameter.declared, Option) and "callback" in parameter.declared.told


@given(lines())
@settings(max_examples=400)
def test_what_is_read_is_what_typer_reads(line: list[str]) -> None:
    call = call_of(line)
    if call is None:
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
    ],
)  # fmt: skip
def test_a_plain_line(line: str, given: dict[str, Any]) -> None:
    call = call_of(line.split())
    assert call is not None
    assert call.keywords == given  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [
        "", "run", "run --help", "run a.yaml --seed 3", "run a.yaml --format", "run a.yaml --format=json", "run a.yaml -- b.yaml",
        "run a.yaml -qf json", "run --list", "run a.yaml --nope", "explain ack", "import celery proj", "upgrade a.yaml b.yaml",
        "rnu a.yaml", "--debug run a.yaml", "run a.yaml --output -o",
    ],
)  # fmt: skip
def test_a_line_that_is_not_plain(line: str) -> None:
    assert call_of(line.split()) is None


def test_a_plain_run_imports_no_typer() -> None:
    loaded = loaded_by(
        f"import sys; sys.argv = ['routesim', 'run', {SHOES!r}]\nfrom routesim.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass"
    )
    assert "routesim.cli.handlers.running" in loaded
    assert {name for name in loaded if name.split(".")[0] in ("typer", "inspect", "subprocess", "urllib", "platform")} == set()
