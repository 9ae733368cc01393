"""What `routesim celery expand` does once its command line is understood."""

import os

from routesim.cli.handlers.converting import is_utf8, write
from routesim.cli.shared.exits import OK, UNUSABLE, UsageError
from routesim.cli.shared.files import named
from routesim.cli.shared.output import read_stdin
from routesim.cli.shared.refusing import rules_of, write_problems
from routesim.diagnostics import Invalid
from routesim.scenario.celery.plain_text import expanded_lines
from routesim.scenario.load import load_expanded
from routesim.scenario.yaml.source import read_source


def expand_file(path: str, output: str | None, rabbitmq: str | None) -> int:
    if rabbitmq is not None:
        rules_of(rabbitmq)
    folder = "" if path == "-" else os.path.dirname(path)
    try:
        path = named(path)
        source = read_source(path, read_stdin() if path == "-" else None)
        expanded, scenario = load_expanded(source, folder, rabbitmq=rabbitmq)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        return UNUSABLE
    write_problems(scenario.warnings)
    if expanded is None:
        raise UsageError(f"there is nothing of Celery in {source.file}: `celery:` is missing")
    name = "stdin" if path == "-" else path
    found = expanded
    seen_from = os.path.relpath(folder or ".", os.path.dirname(output or "") or ".")
    folder = "" if seen_from == "." else seen_from
    write(lambda out: expanded_lines(found, name, folder, ascii=not is_utf8(out)), path, output)
    return OK
