"""Whole processes: routesim as it is when installed, byte-compiled, away from this checkout."""

import atexit
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import routesim

HERE = Path(__file__).parent
# Set in many containers; the first makes a checkout compile itself anew at every start.
FOREIGN = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH")
SCRIPT = "import sys\nfrom routesim.__main__ import main\nsys.exit(main())\n"  # what pip makes of an entry point


@cache
def folder() -> Path:
    """A folder for what is generated, removed at the end; in it the package, compiled, and its command."""
    made = Path(tempfile.mkdtemp(prefix="routesim-bench-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    package = made / "routesim"
    shutil.copytree(Path(routesim.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(package, quiet=2)
    (made / "command").write_text(SCRIPT, encoding="utf-8")
    for section in HERE.glob("*.py"):
        shutil.copy(section, made)
    return made


def kept() -> dict[str, str]:
    """The environment of the bench, without what would change what is measured."""
    return {name: value for name, value in os.environ.items() if name not in FOREIGN}


def generated(name: str, text: str) -> str:
    path = folder() / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def python(*arguments: str, status: int = 0, piped: bool = False, **environment: str) -> Callable[[int], None]:
    """A command as work: each unit runs it once. `piped`: its output goes through a pipe."""
    command = [sys.executable, *arguments]

    def work(units: int) -> None:
        for _ in range(units):
            out = subprocess.PIPE if piped else subprocess.DEVNULL
            with subprocess.Popen(
                command, cwd=folder(), env={**kept(), **environment}, stdout=out, stderr=subprocess.DEVNULL
            ) as run:
                while run.stdout is not None and run.stdout.read(1 << 20):
                    pass
            assert run.returncode == status, f"{' '.join(arguments)} ended with {run.returncode}, not {status}"

    work.whole = True  # type: ignore[attr-defined]
    return work


def command(*arguments: str, status: int = 0, piped: bool = False, **environment: str) -> Callable[[int], None]:
    return python(str(folder() / "command"), *arguments, status=status, piped=piped, **environment)


def child(question: str, *arguments: str) -> dict[str, Any]:
    """The answer of child.py, in a process that has done nothing else."""
    done = subprocess.run(
        [sys.executable, str(folder() / "child.py"), question, *arguments],
        cwd=folder(),
        env=kept(),
        capture_output=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
