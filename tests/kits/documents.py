"""Pages whose examples run: README and the documentation. `python tests/test_readme.py` with UPDATE_README=1 renews their outputs.

A page is a story: its blocks are carried out from its top to its end, in a folder of its own that has this repository's
`scenarios` and `tests` in it. By what stands behind the three backquotes a block is

- `console`: commands behind `$ `, and below each, if anything, what it prints: all of it;
- any language, and its first line is a comment with the name of a file: that file, from here on;
- `yaml`: else a scenario that holds;
- `python`: else a text that Python understands;
- `sh`: commands that are not run here; those of routesim are at least understood.
"""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from kits.cli import within
from kits.paths import ROOT
from routesim.cli.shared.application import program

DOCS = ROOT / "routesim" / "docs"
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ((?:[\w.-]+/)*[\w.-]*\.\w+)\n")
# A command line that any process may carry out: no shell has anything to expand in it.
PLAIN = re.compile(r"routesim [^*?\[\]{}$`~|&;<>\\]+")
LIMIT_S = 120
# Commands whose status is not 0, because what they are asked is not so.
STATUS = {
    "routesim run tests/cli/mistakes.yaml": 2,
    "routesim check tests/cli/losing.yaml --format table": 1,
    "routesim diff tests/cli/losing.yaml tests/cli/mended.yaml": 1,
    "routesim upgrade scenarios/upgrade-delivery-limit.yaml --rabbitmq 3.13..4.0": 1,
    "routesim run scenarios/flaky-worker.yaml --seeds 1..1000 --jobs 0": 1,
    "routesim run --quiet tests/cli/failing.yaml": 1,
    "routesim celery compare scenarios/introduction/redis-notices-late.yaml": 1,
    "routesim check scenarios/celery-definitions.json --rabbitmq 4.3 --select version-refuses": 1,
    "routesim upgrade scenarios/celery-definitions.json --rabbitmq 3.13..4.3": 1,
}


def pages() -> list[Path]:
    """All that have examples; of those pages that state rules, none has."""
    found = [README, *DOCS.glob("*.md"), *(ROOT / "scenarios").rglob("*.md")]
    return sorted(path for path in found if "```" in path.read_text(encoding="utf-8"))


class Block(NamedTuple):
    """`file`: the name that its first line gives it, else nothing."""

    language: str
    text: str
    file: str = ""


class Shown(NamedTuple):
    """A command, what the page shows below it, and what it printed when it was run."""

    command: str
    shown: str
    status: int
    printed: str


def blocks(text: str) -> Iterator[Block]:
    for language, body in BLOCK.findall(text):
        name = FILE_NAME.match(body) if language != "console" else None
        yield Block(language, body, name[1] if name else "")


def commands(block: str) -> list[tuple[str, str]]:
    """Commands with the output shown below them."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        else:
            command, output = found[-1]
            found[-1] = (command, f"{output}{line}\n")
    return found


class Place:
    """A folder in which commands run as a reader runs them who has routesim installed and this repository at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "page"
        self.folder.mkdir()
        for name in ("scenarios", "tests"):
            (self.folder / name).symlink_to(ROOT / name)
        programs = folder / "bin"
        programs.mkdir()
        for name, module in {
            "routesim": "-m routesim",
            "pytest": "-m pytest -p no:cacheprovider -p no:xdist -p no:hypothesispytest",
            "python": "",
        }.items():
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
            program.chmod(0o755)
        self.environment = {
            **os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{programs}:{os.environ['PATH']}",
        }  # fmt: skip

    def run(self, command: str) -> tuple[int, str]:
        if PLAIN.fullmatch(command):
            within_it = within(*shlex.split(command)[1:], cwd=self.folder, merged=True, COLUMNS="100")
            return within_it.status, within_it.out
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", timeout=LIMIT_S, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def told(path: Path, place: Place) -> Iterator[Shown]:
    """Carries a page out; what is no command is checked on the way, and a file that is shown is written."""
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.language == "console":
            for command, shown in commands(block.text):
                yield Shown(command, shown, *place.run(command))
        elif block.file:
            place.write(block.file, block.text)
        elif block.language == "yaml":
            place.write("example.yaml", block.text)
            yield Shown("routesim run --quiet example.yaml", "", *place.run("routesim run --quiet example.yaml"))
        elif block.language == "python":
            compile(block.text, str(path), "exec")
        elif block.language == "sh":
            understood(block.text)


def wrong(shown: Shown) -> str:
    """What is not as the page says, or nothing."""
    status = STATUS.get(shown.command, 0)
    printed, expected = tidy(shown.printed), tidy(shown.shown)
    if "internal error:" in printed or "Traceback" in printed or shown.status != status:
        return f"$ {shown.command}\nstatus {shown.status}, not {status}\n{printed}"
    return f"$ {shown.command}\nprints\n{printed}\nand not\n{expected}" if expected and printed != expected else ""


def tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def understood(text: str) -> None:
    """Every command line of routesim in a text for a shell is one, up to where it would begin to do something."""
    for line in text.replace("\\\n", " ").splitlines():
        bare = re.sub(r"\s#.*|^#.*", "", line)
        for piece in re.split(r"\s*(?:&&|\|)\s*", bare):
            words = shlex.split(re.sub(r"\d?>>?\s*\S+|^[A-Z_]+=\S+ ", "", piece))
            if words[:1] == ["routesim"] or words[:1] == [".venv/bin/routesim"]:
                parsed(words[1:])


def parsed(arguments: list[str]) -> None:
    """Raises what the library raises of a command line that is none."""
    command: Any = program()
    name = "routesim"
    while hasattr(command, "list_commands"):
        if arguments[:1] == ["--help"] or not arguments:
            return
        name, command, arguments = command.resolve_command(typer.Context(command), arguments)
    if arguments[-1:] not in (["--list"], ["--help"]):
        command.make_context(name, arguments)


def renewed(path: Path, place: Place) -> str:
    """The page with what its commands print now, where it shows anything."""
    printed = iter(told(path, place))

    def anew(match: "re.Match[str]") -> str:
        language, body = match.groups()
        if language == "console":
            lines = []
            for command, shown in commands(body):
                now = next(printed)
                assert now.command == command
                lines += [f"$ {command}", *(tidy(now.printed).splitlines() if shown else [])]
            body = "\n".join(lines) + "\n"
        elif language == "yaml" and not FILE_NAME.match(body):
            next(printed)
        return f"```{language}\n{body}```"

    return BLOCK.sub(anew, path.read_text(encoding="utf-8"))


def indented(texts: list[str]) -> str:
    return "\n\n".join(textwrap.indent(text, "  ") for text in texts)
