"""What a child process answers, and what it says of what went wrong: JSON in a file."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import traceback
from collections.abc import Callable
from typing import Any, NoReturn


class CannotLoad(Exception):
    """Why nothing could be read; its only argument is what the caller gets to know."""


def answered(target: str, seconds: str, ask: Callable[[], dict[str, Any]]) -> NoReturn:
    """Write what is answered, or why nothing is, into the file, and end the process. After `seconds` it prints where it hangs."""
    faulthandler.dump_traceback_later(float(seconds))
    try:
        answer = ask()
    except CannotLoad as refusal:
        answer = refusal.args[0]
    except BaseException as problem:
        answer = failure(problem)
    part = target + ".part"
    with open(part, "w", encoding="utf-8") as out:
        json.dump(answer, out)
    os.replace(part, target)
    # Threads that the app has started, and what it has registered for the end, are no concern of ours.
    os._exit(0)


def caller() -> list[Any] | None:
    frames = [frame for frame in traceback.extract_stack() if is_own(frame.filename)]
    return [relative(frames[-1].filename), frames[-1].lineno] if frames else None


def failure(problem: BaseException) -> dict[str, Any]:
    if isinstance(problem, SystemExit):
        return {"error": "exits", "text": repr(problem.code), "place": place_of(problem)}
    text = "".join(traceback.format_exception(type(problem), problem, problem.__traceback__))
    return {"error": "raises", "text": last_line(problem), "place": place_of(problem), "traceback": text,
            "missing": problem.name if isinstance(problem, ModuleNotFoundError) else None}  # fmt: skip


def last_line(problem: BaseException) -> str:
    lines = traceback.format_exception_only(type(problem), problem)
    return " ".join(lines[-1].split())


def place_of(problem: BaseException) -> list[Any] | None:
    """The last place in the app's own code that the exception came through, or where its syntax is wrong."""
    if isinstance(problem, SyntaxError) and problem.filename:
        return [relative(problem.filename), problem.lineno or 1]
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if is_own(frame.filename)]
    return [relative(frames[-1].filename), frames[-1].lineno] if frames else None


def is_own(file: str) -> bool:
    """Whether a file is of the project: below the working directory, and not of an environment that lies there."""
    return (
        os.path.isabs(file) and not relative(file).startswith("..") and "site-packages" not in file and "lib/python" not in file
    )


def relative(file: str) -> str:
    with contextlib.suppress(ValueError):  # on another drive
        return os.path.relpath(file)
    return file
