"""What `routesim import faststream` and `import kombu` do once their command lines are understood."""

import os
import sys

from routesim.celery_app.programs.seen import LIBRARIES, asked_of, topology_of_answer
from routesim.cli.handlers.celery.reading_apps import answer_of, is_module_name
from routesim.cli.handlers.converting import checked, write_imported
from routesim.cli.shared.exits import UNUSABLE, UsageError
from routesim.cli.shared.refusing import write_problems
from routesim.diagnostics import Invalid


def import_program(
    kind: str, app: str, vhost: str | None, output: str | None, directory: str, python: str | None, timeout: float,
    rabbitmq: str | None, *, debug: bool,
) -> int:  # fmt: skip
    checked("scenario", rabbitmq)
    if not is_module_name(app):
        raise UsageError(f"'{app}' is no program: name it package.module:attribute")
    library, directory = LIBRARIES[kind], os.path.realpath(directory)
    answer = answer_of(
        lambda: asked_of(library, app, python=python or sys.executable, directory=directory, timeout_s=timeout),
        app, directory, timeout, debug=debug,
    )  # fmt: skip
    if isinstance(answer, int):
        return answer
    try:
        imported = topology_of_answer(library, app, answer, vhost, rabbitmq=rabbitmq)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        return UNUSABLE
    return write_imported(imported, app, None, "scenario", output, what=f"a program of {library.called}")
