"""What `routesim import celery` does once its command line is understood."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from routesim.celery_app.asking import AppAnswer, NotStarted, TooSlow, asked
from routesim.celery_app.problems import AppProblem, died, hangs, problem_of
from routesim.celery_app.section import READ, CelerySection, section_of
from routesim.cli.handlers.converting import is_utf8, write
from routesim.cli.shared.exits import NO_VERDICT, OK, UNUSABLE, UsageError
from routesim.cli.shared.output import stderr_line
from routesim.cli.shared.refusing import rules_of, write_problems
from routesim.diagnostics import WARNING, Diagnostic
from routesim.scenario.yaml.writing import WrittenItem, lines, scalar
from routesim.versions import NEWEST


def import_app(
    app: str, output: str | None, workers: int, directory: str, python: str | None, timeout: float, rabbitmq: str | None,
    *, debug: bool,
) -> int:  # fmt: skip
    if rabbitmq is not None:
        rules_of(rabbitmq)
    if not is_module_name(app):
        raise UsageError(f"'{app}' is no app: name it as for `celery -A`, package.module:attribute")
    directory = os.path.realpath(directory)
    answer = answer_of(
        lambda: asked(app, READ, python=python or sys.executable, directory=directory, timeout_s=timeout),
        app, directory, timeout, debug=debug,
    )  # fmt: skip
    if isinstance(answer, int):
        return answer
    section = section_of(answer, workers)
    write_problems(Diagnostic(WARNING, "not-simulated", sentence) for sentence in section.unsimulated)
    write(lambda out: _lines(section, app, rabbitmq, ascii=not is_utf8(out)), None, output)
    return OK


def is_module_name(app: str) -> bool:
    """Whether it can be a module, and not an option, a path or a file."""
    return bool(app) and not app.startswith(("-", ".", "/")) and not app.endswith(".py")


def answer_of(ask: Callable[[], AppAnswer], app: str, directory: str, timeout: float, *, debug: bool) -> dict[str, Any] | int:
    """What the child answers, or the exit status where that says nothing of the app, once it has been told why. Raises
    `UsageError` where it cannot be asked."""
    try:
        found = ask()
    except NotStarted as problem:
        raise UsageError(str(problem)) from None
    except TooSlow as problem:
        return failed(hangs(str(problem), app, directory, timeout), debug, NO_VERDICT)
    if found.answer is None:
        return failed(died(found.status, found.output, app), debug)
    if "error" in found.answer:
        return failed(problem_of(found.answer, app, directory), debug)
    return found.answer


def failed(problem: AppProblem, debug: bool, status: int = UNUSABLE) -> int:
    stderr_line(f"error: {problem.text}")
    if problem.cure:
        stderr_line(f"  {problem.cure}")
    if debug:
        for line in problem.details.splitlines():
            stderr_line(line)
    return status


def _lines(section: CelerySection, app: str, rabbitmq: str | None, *, ascii: bool) -> Iterator[str]:
    comments = [
        f"Imported from the Celery app {scalar(app)}, with Celery {section.celery}.",
        "How long a task takes and how it ends is in no configuration: write takes, ends, runs to the tasks.",
    ]
    if section.left_out:
        comments += ["", "Left out:", *(f"  {sentence}" for sentence in section.left_out)]
    if rabbitmq is None and section.needs_rabbitmq is not None:
        rabbitmq = section.needs_rabbitmq
        comments.insert(1, f"Its workers cannot start at RabbitMQ 4.3, so this is of {rabbitmq}: say which one yours is.")
    elif rabbitmq is None and "broker" not in section.data:  # that is Redis
        comments.insert(1, f"The rules are those of RabbitMQ {NEWEST}; if yours is older, write `rabbitmq:` with its version.")
    version = {"rabbitmq": rabbitmq} if rabbitmq is not None else {}
    steps = [WrittenItem("", None, step) for step in section.steps]
    yield from lines({**version, **section.data, "steps": steps}, comments, apart=True, ascii=ascii)
