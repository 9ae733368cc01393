"""What `routesim import faststream` and `import kombu` do once their command lines are understood."""

import os
import sys

from routesim.celery_app.asking import NotStarted, TooSlow
from routesim.celery_app.problems import died, hangs, problem_of
from routesim.celery_app.programs.seen import LIBRARIES, asked_of, topology_of_answer
from routesim.cli.handlers.celery.reading_apps import failed
from routesim.cli.handlers.converting import checked, write_imported
from routesim.cli.shared.exits import NO_VERDICT, UNUSABLE, UsageError
from routesim.cli.shared.refusing import write_problems
from routesim.diagnostics import Invalid


def import_program(
    kind: str, app: str, vhost: str | None, output: str | None, directory: str, python: str | None, timeout: float,
    rabbitmq: str | None, *, debug: bool,
) -> int:  # fmt: skip
    checked("scenario", rabbitmq)
    if not app or app.startswith(("-", ".", "/")) or app.endswith(".py"):
        raise UsageError(f"'{app}' is no program: name it package.module:attribute")
    library, directory = LIBRARIES[kind], os.path.realpath(directory)
    try:
        found = asked_of(library, app, python=python or sys.executable, directory=directory, timeout_s=timeout)
    except NotStarted as problem:
        raise UsageError(str(problem)) from None
    except TooSlow as problem:
        return failed(hangs(str(problem), app, directory, timeout), debug, NO_VERDICT)
    if found.answer is None:
        return failed(died(found.status, found.output, app), debug)
    if "error" in found.answer:
        return failed(problem_of(found.answer, app, directory), debug)
    try:
        imported = topology_of_answer(library, app, found.answer, vhost, rabbitmq=rabbitmq)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        return UNUSABLE
    return write_imported(imported, app, None, "scenario", output, what=f"a program of {library.called}")
