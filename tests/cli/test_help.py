"""Help and usage errors of every command and subcommand."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from kits.cli import SHOES, columns_of, on_terminal, routesim, sane

from routesim.cli.shared.application import program

APP: Any = program()


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from _commands(command.get_command(None, name), (*path, name))


EVERY = dict(_commands(APP))


def help_of(path: tuple[str, ...], columns: int = 80) -> str:
    context = None
    for name, command in [("routesim", APP), *((path[index], EVERY[path[: index + 1]]) for index in range(len(path)))]:
        context = command.context_class(
            command,
            info_name=name,
            parent=context,
            terminal_width=columns,
            max_content_width=columns,
            help_option_names=["--help", "-h"],
        )
    assert context is not None
    return str(context.get_help())


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_fits_80_columns_and_has_examples(path: tuple[str, ...]) -> None:
    text = help_of(path)
    for line in text.splitlines():
        assert columns_of(line) <= 80, line
        assert line.isprintable()
    assert text.startswith(f"Usage: routesim {' '.join(path)}".rstrip() + " [OPTIONS]")
    assert not re.search(r"[{}]|\.\.\.(?!$|\s|\])", text.splitlines()[0])
    examples = text.partition("Examples:")[2]
    assert f"routesim {' '.join(path)}".rstrip() in examples
    assert "-h, --help" in text


@pytest.mark.parametrize("path", [("run",), ("explain",), ("explain", "queue"), ()])
def test_the_help_that_is_printed_is_that_help(path: tuple[str, ...]) -> None:
    done = sane(routesim(*path, "--help", COLUMNS="80"))
    assert (done.status, done.err) == (0, "")
    assert done.out.split() == help_of(path).split()
    assert routesim(*path, "-h", COLUMNS="80") == done


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_everything_has_a_sentence(path: tuple[str, ...]) -> None:
    for parameter in EVERY[path].params:
        assert (parameter.help or "").endswith("."), parameter.name


def _examples() -> list[str]:
    found = []
    for path in EVERY:
        found += [line.strip() for line in help_of(path).partition("Examples:")[2].splitlines() if line.startswith("    ")]
    return sorted(set(found))


@pytest.mark.parametrize("example", _examples())
def test_examples_are_understood(example: str) -> None:
    """Every part that is routesim's, up to where it would begin to do something."""
    parts = [shlex.split(re.sub(r"^[A-Z_]+=\S+ |>>?\s*\S+", "", part)) for part in re.split(r"\s*(?:&&|\|)\s*", example)]
    ours = [part[1:] for part in parts if part[:1] == ["routesim"]]
    assert ours
    for arguments in ours:
        if arguments[-1] in ("--list", "--help"):
            continue
        command, name = APP, "routesim"
        while hasattr(command, "list_commands"):
            name, command, arguments = command.resolve_command(typer.Context(command), arguments)
        command.make_context(name, arguments)


def test_the_first_examples_run_one_after_the_other_in_an_empty_folder(tmp_path: Path) -> None:
    lines = help_of(()).partition("Examples:")[2].splitlines()
    examples = [shlex.split(line)[1:] for line in lines if line.startswith("    routesim ")]
    assert len(examples) == 3
    for words in examples:
        done = routesim(*words, cwd=tmp_path)
        assert done.status == 0, (words, done.err)


# Usage errors --------------------------------------------------------------------------------------------------------

WRONG = {
    ("rnu", SHOES): "routesim has no command 'rnu'; did you mean 'run'?",
    ("frobnicate",): "routesim has no command 'frobnicate'; the commands are run, import,",
    ("",): "routesim has no command ''; the commands are",
    ("explain",): "routesim explain needs a command: route, message,",
    ("explain", "prefech"): "routesim explain has no command 'prefech'; did you mean 'prefetch'?",
    ("explain", "ack", "x"): "routesim explain ack takes no argument; 'x' cannot be placed",
    ("explain", "exchange", "topik", "a"): "TYPE takes default, direct, fanout, topic, headers, x-consistent-hash,",
    ("explain", "error", "UNROUTABLE"): "no error is called 'UNROUTABLE'; `routesim explain unroutable` says what it means",
    ("explain", "rout"): "routesim explain has no command 'rout'; did you mean 'route'?",
    ("--verison",): "routesim has no option '--verison'; did you mean '--version'?",
    ("--format", "json"): "routesim has no option '--format'; the options of a command stand behind its name",
    ("--debug=1",): "--debug takes no value",
    ("run",): "routesim run needs SCENARIO...: scenario or definitions files, folders of them, or names of --list; - is stdin",
    ("explain", "queue", SHOES): "routesim explain queue needs NAME: the queue's name",
    ("verify",): "routesim verify needs --broker AMQP: the real RabbitMQ",
    ("run", "x", "--fromat"): "routesim run has no option '--fromat'; did you mean '--format'?",
    ("run", "x", "-z"): "routesim run has no option '-z'",
    ("run", "x", "-qz"): "routesim run has no option '-z'",
    ("run", "x", "--format"): "--format needs a value: table, plain,",
    ("run", "x", "-f"): "-f needs a value: table, plain,",
    ("run", "x", "--quiet=yes"): "--quiet takes no value",
    ("run", "x", "--seed", "x"): "--seed takes a whole number from 0 on, not 'x'",
    ("run", "x", "--seed", "-1"): "--seed takes a whole number from 0 on, not '-1'",
    ("run", "x", "--seed=1.5"): "--seed takes a whole number from 0 on, not '1.5'",
    ("run", "x", "-j", "x"): "--jobs takes a whole number from 0 on, not 'x'",
    ("run", "x", "--fail-under", "101"): "--fail-under takes a number from 0 to 100, not '101'",
    ("run", "x", "--fail-under", "all"): "--fail-under takes a number from 0 to 100, not 'all'",
    ("run", "x", "--format", "jsn"): "--format takes table, plain, json, ndjson, junit, github, tap",
    ("run", "x", "--until", "when"): "--until takes idle, steps or a duration such as 30s, not 'when'",
    ("graph", SHOES, "b"): "routesim graph takes only FILE; 'b' cannot be placed",
    ("diff", "a", "b", "c", "d"): "routesim diff takes only OLD NEW; 'c' and 1 more cannot be placed",
    ("import", "celery"): "routesim import celery needs APP: as for celery -A",
    ("import", "celery", "a", "--python"): "--python needs a value: the interpreter",
    ("import", "celery", "a", "--workers", "0"): "--workers takes a whole number from 1 on, not '0'",
    ("import", "celery", "a", "b"): "routesim import celery takes only APP; 'b' cannot be placed",
    ("import", "celery", "./proj.py"): "'./proj.py' is no app: name it as for `celery -A`",
    ("celery",): "routesim celery needs a command: expand, monitor, compare",
    ("celery", "compere"): "routesim celery has no command 'compere'; did you mean 'compare'?",
    ("celery", "monitor"): "routesim celery monitor needs FILE: a scenario; - is stdin",
    ("celery", "monitor", SHOES, "--at", "soon"): "--at takes a duration of virtual time such as 5s or 250ms, not 'soon'",
    ("celery", "compare", SHOES, "--format", "tabel"): "--format takes table, plain, json, not 'tabel'; did you mean 'table'?",
    ("celery", "expand", SHOES): f"there is nothing of Celery in {SHOES}",
    ("run", SHOES, "--step", "--plot"): "--step shows one run of the embedded engine on the terminal; leave out --plot",
    ("run", SHOES, "--watch", "--plot"): "--watch tells what changes between runs of the embedded engine; leave out --plot",
    ("versions", "x"): "routesim versions takes no argument; 'x' cannot be placed",
    ("check", SHOES, "--select", "dead-leter-nowhere"): "--select takes the code of a rule, not 'dead-leter-nowhere'; did you mean 'dead-letter-nowhere'?",
    ("check", SHOES, "--fail-on", "eror"): "--fail-on takes error, warning, note, not 'eror'; did you mean 'error'?",
    ("explain", "topic", "a", "--rabbitmq", "9"): "no RabbitMQ '9' is known",
    ("explain", "error", "nonsense"): "no error is called 'nonsense'; a code stands in brackets",
    ("explain", "headers", "-H", "x"): "'x' is no header: write k=text or k:=JSON",
    ("new",): "new needs a name",
    ("new", "x", "--template", "topic"): "no template is called 'topic'; did you mean 'topics'?",
    ("import",): "give either files or --management URL",
    ("completion", "tcsh"): "completion is for bash, zsh, fish, not 'tcsh'",
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), WRONG.items(), ids=[" ".join(arguments) for arguments in WRONG])
def test_a_usage_error(arguments: tuple[str, ...], said: str, tmp_path: Any) -> None:
    done = sane(routesim(*arguments))
    assert (done.status, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) <= 3
    assert lines[0].startswith(f"error: {said}"), lines[0]
    assert max(map(len, lines)) <= 320


HOSTILE = "\x1b[31m\x9b5m[red]\u202e\u200b\nnew line\r\t'\"%s{x}"


@pytest.mark.parametrize("arguments", [
    (HOSTILE,), (f"--{HOSTILE}",), ("run", f"--{HOSTILE}"), ("run", "x", f"--{HOSTILE}=1"), ("run", "x", f"-{HOSTILE}"), ("run", "x", "--seed", HOSTILE),
    ("run", "x", "--format", HOSTILE), ("run", "x", "--until", HOSTILE), ("run", "x", f"--quiet={HOSTILE}"), ("explain", HOSTILE), ("graph", "a", HOSTILE),
    ("explain", "queue", SHOES, HOSTILE), ("explain", "route", SHOES, "-e", HOSTILE), ("explain", "topic", "a", "--rabbitmq", HOSTILE), ("explain", "error", HOSTILE),
    ("explain", "headers", "-H", HOSTILE), ("check", SHOES, "--select", HOSTILE), ("graph", SHOES, "--focus", HOSTILE), ("graph", SHOES, "-m", HOSTILE),
    ("new", "x", "-t", HOSTILE), ("completion", HOSTILE), ("run", "x", "--seeds", HOSTILE), ("verify", "x", "--broker", HOSTILE), ("import", "--management", HOSTILE),
    ("run", SHOES, "-o", f"no/{HOSTILE}"), ("versions", "--from", HOSTILE, "--to", "4.0"), ("celery", HOSTILE),
    ("celery", "monitor", SHOES, "--at", HOSTILE), ("celery", "monitor", SHOES, "--every", HOSTILE), ("celery", "compare", SHOES, "-f", HOSTILE),
    ("celery", "compare", SHOES, "--visibility-timeout", HOSTILE), ("celery", "expand", SHOES, HOSTILE),
    ("import", "celery", HOSTILE), ("import", "celery", "a", "--python", HOSTILE), ("import", "celery", "a", "--workers", HOSTILE),
], ids=lambda arguments: " ".join(arguments).replace(HOSTILE, "HOSTILE"))  # fmt: skip
def test_a_hostile_argument_does_nothing_to_the_terminal(arguments: tuple[str, ...]) -> None:
    done = sane(routesim(*arguments))
    assert (done.status, done.out) == (2, "")
    lines = done.err.splitlines()
    assert 1 <= len(lines) <= 3
    assert all(line.isprintable() for line in lines), lines
    assert lines[0].startswith("error: ")


def test_a_usage_error_on_a_terminal_has_no_boxes() -> None:
    screen = on_terminal("run", "--fromat", columns=80)
    assert screen.status == 2
    assert [line for line in screen.lines if line] == [
        "error: routesim run has no option '--fromat'; did you mean '--format'?", "`routesim run --help` shows what there is.",
    ]  # fmt: skip
