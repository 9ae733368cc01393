"""Completion: what is suggested, and what interactive shells make of it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.cli import SHOES, environment, routesim, sane
from kits.paths import ROOT
from kits.shell import COMMANDS as SHELLS
from kits.shell import Shell, installed

from routesim.cli import completion
from routesim.cli.shared.application import program
from routesim.cli.shared.commands import COMMANDS
from routesim.cli.shells import suggesting
from routesim.cli.shells.shellwords import parsed, quoted
from routesim.cli.shells.suggesting import source_of, suggestions
from routesim.cli.shells.walking import CommandLine
from routesim.report.formats import RUN, formats_of
from routesim.scenario.starting import templates
from routesim.versions import NEWEST_PATCH

BREAKS = " \t\n\"'@><=;|&(:"
APP: Any = program()

HOSTILE = {
    "or": "or:ders:new",
    "ends": "ends in single'",
    "and": 'and in double"',
    "its": "its 'own' $(touch pwned) `touch pwned`",
    "double": 'double "quote"; touch pwned &',
    "bang": "bang!touch",
    "esc": "esc\x1b[31m\x1b]0;pwned\x07",
    "tab": "tab\tbed",
    "back": "back\\slash\\n",
    "wide": "wide 靴 👟",
    "over": "over\u202eridden",
    "glob": "glob*?[a]{b,c}",
    "hash": "hash #no comment",
    "equal": "equal=a@b",
    "~tilde": "~tilde",
    "$(touch": "$(touch pwned)",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("completion")
    names = "".join(f"  {_yaml(name)}: \n" for name in HOSTILE.values())
    for file in ("hostile.yaml", "sp ace's.yaml"):
        (made / file).write_text(f"exchanges:\n{names.replace(': ', ': fanout')}queues:\n{names}", encoding="utf-8")
    (made / "broken.yaml").write_text("queues: {q: [}\n")
    (made / "binary.yaml").write_bytes(b"\xff\x00\xfe")
    (made / "definitions.json").write_text('{"vhosts": [{"name": "shop"}], "queues": [{"name": "q", "vhost": "shop"}]}')
    (made / "notes.txt").write_text("")
    (made / "sub").mkdir()
    (made / ".hidden.yaml").write_text("")
    return made


def _yaml(name: str) -> str:
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in name) + '"'


def texts(*words: str) -> list[str]:
    """What the last of the words may become."""
    return [item.text for item in suggestions(APP, list(words[:-1]), words[-1]).items]


def asked(shell: str, *words: str, cwd: Path = ROOT) -> str:
    done = sane(routesim(*words, cwd=cwd, _ROUTESIM_COMPLETE=f"{shell}_complete"))
    assert (done.status, done.err) == (0, "")
    return done.out


# What is suggested ---------------------------------------------------------------------------------------------------


def test_commands_and_subcommands() -> None:
    assert texts("") == [name for name in COMMANDS if " " not in name]
    assert texts("celery", "") == ["expand", "monitor", "compare"]
    assert texts("ver") == ["verify", "versions"]
    assert {"route", "topic", "queue", "exchange", "ack", "prefetch"} <= set(texts("explain", ""))
    assert texts("explain", "x-l") == []
    assert texts("explain", "exchange", "x-l") == ["x-local-random"]
    assert texts("docs", "tut") == ["tutorial"]
    assert texts("nonsense", "") == texts("explain", "nonsense", "") == []


def test_a_command_of_two_words() -> None:
    assert texts("import", "cel") == ["celery"]
    assert texts("import", "--", "cel") == texts("import", "x", "cel") == texts("import", "--vhost", "cel") == []
    assert texts("import", "celery", "--w") == ["--workers"]
    assert texts("import", "--w") == []


def test_every_command_says_what_it_is_when_it_is_suggested() -> None:
    for path in ([], ["explain"], ["celery"]):
        for item in suggestions(APP, path, "").items:
            assert item.help, item
            assert "\n" not in item.help


def test_options() -> None:
    assert {"--format", "--until", "--seeds", "--help"} <= set(texts("run", "--"))
    assert texts("run", "--fo") == ["--format"]
    assert "-f" in texts("run", "-")
    assert texts("run", "--format", "json", "--fo") == [], "once is enough"
    assert texts("check", "--select", "x", "--sel") == ["--select"], "this one may be repeated"
    assert texts("run", "--", "--fo") == []
    assert "--version" in texts("--")
    assert texts("schema", "") == ["scenario", "definitions"]
    assert texts("schema", "definitions", "") == ["--rabbitmq", "--output", "-o", "--help", "-h"], "when nothing else can follow"


@pytest.mark.parametrize(("words", "expected"), [
    (("run", "--format", ""), list(formats_of(RUN))), (("run", "-f", "js"), ["json"]), (("run", "--format=nd"), ["--format=ndjson"]), (("run", "-fnd"), ["-fndjson"]),
    (("run", "-qfnd"), ["-qfndjson"]), (("run", "--seeds", "1..2", "-f", ""), ["table", "plain", "json"]), (("run", "--plot", "-f", ""), ["table", "plain"]),
    (("run", "--step", "-f", ""), ["table"]), (("run", "--watch", "-f", ""), ["table", "plain"]), (("celery", "monitor", "-f", ""), ["table", "plain", "json"]),
    (("run", "--until", ""), ["idle", "steps"]),
    (("run", SHOES, "--until", "s"), ["steps"]), (("versions", "--from", ""), list(NEWEST_PATCH)), (("upgrade", SHOES, "--to", "4."), ["4.0", "4.1", "4.2", "4.3"]),
    (("explain", "queue", SHOES, "--rabbitmq", "3.13"), ["3.13"]), (("check", "--fail-on", ""), ["error", "warning", "note"]),
    (("check", "--select", "dead"), ["dead-letter-nowhere", "dead-letter-kept"]), (("new", "--template", ""), list(templates())), (("new", ""), []), (("completion", ""), ["bash", "zsh", "fish"]),
    (("import", "--format", ""), ["scenario", "definitions"]), (("explain", "error", "unknown-v"), ["unknown-version", "unknown-vhost"]), (("explain", "error", "404"), ["404"]),
    (("run", "--seed", ""), []), (("run", SHOES, "--broker", ""), []),
])  # fmt: skip
def test_values(words: tuple[str, ...], expected: list[str]) -> None:
    assert texts(*words) == expected


@pytest.mark.parametrize(("words", "expected"), [
    (("explain", "route", SHOES, "--exchange", "shop"), ["shop", "shop.unrouted", "shop.dlx"]), (("explain", "route", "-e", ""), []),
    (("explain", "route", SHOES, "--exchange=shop.d"), ["--exchange=shop.dlx"]), (("explain", "route", SHOES, "-e", "shop", ""), ["ship.shoes", "ship.boots", "refund"]),
    (("explain", "route", SHOES, ""), ["shop", "shop.unrouted", "shop.dlx", "warehouse", "audit", "unrouted", "parked"]),
    (("explain", "route", SHOES, "shop", ""), ["ship.shoes", "ship.boots", "refund"]), (("run", SHOES, "--queue", "a"), ["audit"]), (("run", SHOES, "--consumer", ""), ["packer"]),
    (("upgrade", SHOES, "--rabbitmq", "3.13..4"), ["3.13..4.0", "3.13..4.1", "3.13..4.2", "3.13..4.3"]), (("--color", "a"), ["always", "auto"]),
     (("explain", "route", SHOES, "--expect-queue", "a"), ["audit"]),
    (("explain", "queue", SHOES, ""), ["warehouse", "audit", "unrouted", "parked"]), (("explain", "message", SHOES, ""), ["m1", "m2", "m3", "m4"]),
    (("graph", SHOES, "--message", "m"), ["m1", "m2", "m3", "m4"]), (("graph", SHOES, "--focus", "pa"), ["parked", "packer"]), (("graph", SHOES, "-e", "amq.t"), ["amq.topic"]),
    (("graph", SHOES, "-e", "shop", "-k", "sh"), ["ship.shoes", "ship.boots"]),
])  # fmt: skip
def test_names_in_the_file(words: tuple[str, ...], expected: list[str]) -> None:
    words = tuple(word.replace(SHOES, str(ROOT / SHOES)) for word in words)
    assert sorted(texts(*words)) == sorted(expected)


def test_vhosts(folder: Path) -> None:
    for command in (("import",), ("run",), ("graph",), ("check",), ("explain", "queue"), ("upgrade",), ("diff",)):
        assert texts(*command, str(folder / "definitions.json"), "--vhost", "") == ["shop"]


def test_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("HERE", str(folder))
    every = ["binary.yaml", "broken.yaml", "definitions.json", "hostile.yaml", "sp ace's.yaml", "sub/"]
    for command in (("run",), ("check",), ("graph",), ("export",), ("upgrade",), ("diff",), ("diff", "x"), ("explain", "route")):
        assert texts(*command, "") == every
    assert texts("run", "hostile.yaml", "br") == ["broken.yaml"]
    kinds = ["topology-operator", "symfony", "old-sound", "terraform", "rascal", "asyncapi"]
    assert texts("import", "") == ["celery", "faststream", "kombu", *kinds, *every]
    assert texts("import", "ra") == ["rascal"]
    assert texts("import", "rascal", "def") == ["definitions.json"]
    assert texts("import", "./d") == texts("import", "--", "./d") == ["./definitions.json"]
    assert texts("import", "celery", "--chdir", "") == ["sub/"]
    assert texts("celery", "expand", "h") == ["hostile.yaml"]
    assert texts("run", ".h") == [".hidden.yaml"]
    assert texts("run", f"{folder}/ho") == [f"{folder}/hostile.yaml"]
    assert texts("run", "~/ho") == ["~/hostile.yaml"]
    assert texts("run", "$HERE/ho") == ["$HERE/hostile.yaml"]
    assert "notes.txt" in texts("run", "x", "--output", "")
    assert texts("verify", "--keep", "") == ["sub/"]
    assert texts("run", "no/such/folder/") == texts("run", "\0/") == []


@pytest.mark.parametrize(
    "file", ["broken.yaml", "binary.yaml", "missing.yaml", "sub", "-", "", "\0", "n" * 5000, "/dev/stdin", "pipe.yaml"]
)
def test_a_file_that_cannot_be_used_suggests_nothing(folder: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    if file == "pipe.yaml" and not os.path.lexists(file):
        os.mkfifo(file)
    try:
        for words in (
            ("explain", "queue", file, ""),
            ("explain", "route", file, "-e", ""),
            ("graph", file, "--message", ""),
            ("import", file, "--vhost", ""),
        ):
            assert texts(*words) == []
    finally:
        if os.path.lexists("pipe.yaml"):
            os.unlink("pipe.yaml")


def test_a_large_file_is_not_read_between_two_keys(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("queues: {q: }\n" + "#" * suggesting.LARGEST_BYTES)
    assert texts("explain", "queue", str(path), "") == []


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from _commands(command.get_command(None, name), (*path, name))


def test_somebody_has_thought_of_every_parameter() -> None:
    """A new one belongs into `SOURCES`, be it to say that only the person knows its values."""
    used = set()
    for path, command in _commands(APP):
        for parameter in command.params:
            if not getattr(parameter, "is_flag", False):
                source_of(CommandLine(path, command, {}), parameter)
                used |= {parameter.name, *(f"{name} {parameter.name}" for name in (" ".join(path), *path[:1]))}
    assert set(suggesting.SOURCES) <= used, "nobody has this parameter any more"


def test_formats_and_choices_are_those_that_the_commands_take() -> None:
    for path, command in _commands(APP):
        for parameter in command.params:
            if parameter.name != "format" or (path[0] == "explain" and path[1] != "queue"):
                continue
            file = [SHOES] * sum(each.param_type_name == "argument" for each in command.params)
            refused = sane(
                routesim(*path, *file, "--format", "\1", *(["--broker", "amqp://localhost"] if path == ("verify",) else []))
            )
            assert refused.status == 2
            for format in texts(*path, "--format", ""):
                assert format in refused.err, path


# Asked by a shell ----------------------------------------------------------------------------------------------------


def test_the_answers_in_each_shells_form() -> None:
    assert asked("bash", "routesim run --format=js", BREAKS) == "words\njson"
    assert asked("bash", "routesim run --format=js", " ") == "words\n--format=json"
    assert asked("zsh", "routesim", "run", "--format=js") == "words\0--format=\0--format=json\0--format=json\0"
    assert asked("zsh", "routesim", "ru").startswith("words\0\0run\0run  -- Run scenarios")
    assert asked("fish", "routesim", "ru").startswith("words\nrun\tRun scenarios")
    assert asked("zsh", "routesim", "run", "") == "scenarios\0\0"
    assert asked("zsh", "routesim", "import", "c").startswith("scenarios\0\0celery\0celery  -- Turn a Celery app")
    assert asked("bash", "routesim run scen", BREAKS) == "open\nscenarios/"
    assert asked("bash", "routesim run $HOME/x", BREAKS) == "files"


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_click_s_way_of_asking_for_the_script(shell: str) -> None:
    given = routesim(_ROUTESIM_COMPLETE=f"{shell}_source")
    assert given == sane(routesim("completion", shell))
    assert "_ROUTESIM_COMPLETE" in given.out


def test_another_shell_is_told_which_there_are() -> None:
    done = sane(routesim("completion", "bahs"))
    assert (done.status, done.out) == (2, "")
    assert "did you mean 'bash'" in done.err


@pytest.mark.parametrize(
    "instruction",
    ["bash_complete", "zsh_complete", "fish_complete", "complete_bash", "x", "bash_", "_", "tcsh_complete", "../x_source"],
)
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("",),
        ("\0",),
        ("routesim",),
        ("routesim run --format", " "),
        ("routesim", "explain", "queue", "broken.yaml", ""),
        ("routesim", "'"),
        ("\\",),
    ],
)
def test_whatever_is_asked_nothing_is_an_error(
    folder: Path, instruction: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    from routesim.cli.shells.completing import answer

    monkeypatch.chdir(folder)
    answer(APP, instruction, list(words))
    out, err = capfdbinary.readouterr()
    assert err == b""
    assert b"Traceback" not in out
    assert b"Usage" not in out


def test_an_empty_variable_asks_nothing() -> None:
    assert routesim("--version", _ROUTESIM_COMPLETE="").out.startswith("routesim ")


def test_completion_is_not_imported_unless_it_is_asked_for() -> None:
    import subprocess
    import sys

    script = "import sys; from routesim.cli.main import main\ntry: main()\nexcept SystemExit: pass\nprint([name for name in sys.modules if 'complet' in name or 'suggest' in name])"
    done = subprocess.run(
        [sys.executable, "-c", script, "run", SHOES, "-q"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [name for name in eval(done.stdout.splitlines()[-1]) if name.startswith("routesim")] == []


# Words and quotes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quote", ["", '"', "'", "$'"])
@pytest.mark.parametrize(
    "name", [*HOSTILE.values(), "", "new\nline", "\r", "".join(map(chr, range(1, 128))), "é\x85\u2028\u200b"]
)
def test_what_is_quoted_is_read_back_as_it_was(name: str, quote: str) -> None:
    written = quoted(name, quote)
    assert written.isprintable()
    assert parsed("routesim " + quote + written).word == name
    assert parsed("routesim " + quote + written).quote == quote


def test_bash_reads_what_is_quoted_as_it_was() -> None:
    import subprocess

    for quote, end in (("", ""), ('"', '"'), ("'", "'"), ("$'", "'")):
        for name in (*HOSTILE.values(), "new\nline", "".join(map(chr, range(1, 128)))):
            line = f"printf %s {quote}{quoted(name, quote)}{end}"
            assert subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout.decode() == name


@pytest.mark.parametrize(("line", "words", "word", "kept"), [
    ("routesim run", ["routesim"], "run", ""), ("routesim  run ", ["routesim", "run"], "", ""), ("A=1 routesim x", ["routesim"], "x", ""),
    ("ls; routesim x", ["routesim"], "x", ""), ("echo $(routesim x", ["routesim"], "x", ""), ("cat a | routesim x", ["routesim"], "x", ""),
    ("routesim a:b:c", ["routesim"], "a:b:c", "a:b:"), ("routesim 'a:b", ["routesim"], "a:b", ""), ("routesim a:'b c", ["routesim"], "a:b c", "a:"),
    ("routesim a\\:b", ["routesim"], "a:b", ""), ("routesim --x=\"a b", ["routesim"], "--x=a b", "--x="), ('routesim "a b"c', ["routesim"], "a bc", ""),
])  # fmt: skip
def test_a_line_as_bash_reads_it(line: str, words: list[str], word: str, kept: str) -> None:
    found = parsed(line, BREAKS)
    assert (found.words, found.word, found.kept) == (words, word, kept)


# In shells -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Shell]]:
    if not installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    here = tmp_path_factory.mktemp(request.param)
    for file in ("hostile.yaml", "sp ace's.yaml"):
        (here / file).write_bytes((folder / file).read_bytes())
    (here / "sub").mkdir()
    opened = Shell(request.param, here, completion.script(request.param))
    yield request.param, opened
    opened.close()


def test_in_a_shell(shell: tuple[str, Shell]) -> None:
    _, at = shell
    assert at.ran("routesim ru") == ["run"]
    assert at.ran("routesim explain mes") == ["explain", "message"]
    assert at.ran("routesim run --unt") == ["run", "--until"]
    assert at.ran("routesim run x --format=js") == ["run", "x", "--format=json"]
    assert at.ran("routesim run hos") == ["run", "hostile.yaml"]
    assert at.ran("routesim import cel") == ["import", "celery"]
    assert at.ran("routesim import celery x --py") == ["import", "celery", "x", "--python"]
    assert at.ran("routesim run sp") == ["run", "sp ace's.yaml"]
    assert at.ran('routesim run "sp') == ["run", "sp ace's.yaml"]
    assert at.ran("routesim run ~/hos") == ["run", str(at.folder / "hostile.yaml")]
    assert at.ran("routesim run $HOME/hos") == ["run", str(at.folder / "hostile.yaml")]
    assert at.ran("routesim run x --output scr") == ["run", "x", "--output", "script"]


@pytest.mark.parametrize("start", HOSTILE)
def test_a_name_stays_what_it_is_and_nothing_in_it_is_run(shell: tuple[str, Shell], start: str) -> None:
    name, at = shell
    wanted = HOSTILE[start] if name != "fish" or HOSTILE[start].isprintable() else start
    quotes = ("'",) if start[0] in "~$" else ("", '"', "'") if start in ("its", "and", "ends", "bang", "esc") else ("",)
    for quote in quotes:
        if wanted == start and quote:  # nothing is suggested, and the quote would stay open
            continue
        words = at.ran(f"routesim explain queue hostile.yaml {quote}{start}")
        assert words == ["explain", "queue", "hostile.yaml", wanted], quote
    assert not (at.folder / "pwned").exists()


def test_a_list_of_names_does_nothing_to_the_terminal(shell: tuple[str, Shell]) -> None:
    _, at = shell
    screen = at.shown("routesim explain queue hostile.yaml ", b"glob")
    assert b"glob" in screen
    assert b"\x1b[31m\x1b]0" not in screen
    assert b"]0;pwned\x07" not in screen
    assert "\u202e".encode() not in screen


def test_a_broken_file_prints_nothing(shell: tuple[str, Shell]) -> None:
    _, at = shell
    (at.folder / "broken.yaml").write_text("queues: {q: [}\n")
    screen = at.shown("routesim explain queue broken.yaml ")
    assert not re.search(rb"error|Traceback|Usage", screen)
