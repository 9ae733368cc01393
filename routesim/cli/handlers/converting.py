"""What `routesim import` and `routesim export` do once their command lines are understood."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO

from routesim.cli.shared.exits import NO_VERDICT, OK, UNUSABLE, UsageError
from routesim.cli.shared.options import choice
from routesim.cli.shared.output import CannotWrite, opened, read_stdin, same_file, stderr_line
from routesim.cli.shared.refusing import rules_of, scenario_of, write_problems
from routesim.diagnostics import Invalid
from routesim.scenario.definitions.exporting import definitions_of, document_of, lines_of
from routesim.scenario.definitions.importing import Imported, imported
from routesim.scenario.definitions.reading import closest_version
from routesim.scenario.topology_data import DeclaredTopology, scenario_sections
from routesim.scenario.yaml.source import Source, read_source
from routesim.scenario.yaml.writing import lines as yaml_lines
from routesim.scenario.yaml.writing import scalar

IMPORT_FORMATS = ("scenario", "definitions")
EXPORT_FORMATS = ("definitions", "topology-operator")
CLUSTER = "rabbitmq"  # where nobody says which cluster the objects are for
LONGEST_VHOST = 255
APP = re.compile(r"\w+(\.\w+)*(:\w+)?")


def import_file(
    path: str, vhost: str | None, format: str, output: str | None, rabbitmq: str | None, stdin: bytes | None = None
) -> int:
    """A definitions file. `stdin`: what was read from there already."""
    checked(format, rabbitmq)
    try:
        source = read_source(path, stdin if stdin is not None or path != "-" else read_stdin())
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        if APP.fullmatch(path) and (":" in path or os.path.isdir(path)):
            stderr_line(f"A Celery app is read by `routesim import celery {path}`.")
        return UNUSABLE
    return _import(source, path, vhost, format, output, rabbitmq)


def import_broker(url: str, vhost: str | None, format: str, output: str | None, rabbitmq: str | None) -> int:
    """What a running broker declares, as its HTTP API tells it, without users and secrets."""
    from routesim.rabbitmq.http.features import permitted_features, to_permit
    from routesim.rabbitmq.http.management import Management
    from routesim.rabbitmq.problems import BrokerProblem
    from routesim.rabbitmq.url import BadAddress, web_address

    checked(format, rabbitmq)
    try:
        address = web_address(url)
        management = Management(address)
        document = management.definitions(vhost)
        profile = rabbitmq or closest_version(str(document.get("rabbitmq_version") or document.get("rabbit_version", "")))[0]
        permit = to_permit(permitted_features(management, profile), profile)
    except BadAddress as problem:
        raise UsageError(str(problem)) from None
    except BrokerProblem as problem:
        stderr_line(f"error: {problem}")
        return NO_VERDICT
    return _import(Source(str(address), json.dumps(document, indent=1)), None, vhost, format, output, rabbitmq, permit)


def checked(format: str, rabbitmq: str | None) -> None:
    choice("--format", format, IMPORT_FORMATS)
    if rabbitmq is not None:
        rules_of(rabbitmq)


def _import(
    source: Source, path: str | None, vhost: str | None, format: str, output: str | None, rabbitmq: str | None,
    permit: tuple[str, ...] = (),
) -> int:  # fmt: skip
    try:
        found = imported(source, vhost, rabbitmq=rabbitmq, permit=permit)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        return UNUSABLE
    name = source.file if path is None else "stdin" if path == "-" else os.path.basename(path)
    return write_imported(found, name, path, format, output)


def write_imported(
    found: Imported, name: str, path: str | None, format: str, output: str | None, *, what: str | None = None
) -> int:
    """What was imported, in a format. `name`: of what it comes from; `what`: the kind of that, where it are no definitions."""
    write_problems(found.warnings)
    if format == "definitions":
        for sentence in found.left_out:
            stderr_line(f"left out: {sentence}")
        write(lambda out: lines_of(document_of(found.topology)), path, output)
    else:
        write(lambda out: _scenario(found, name, what, ascii=not is_utf8(out)), path, output)
    return OK


def export_file(
    path: str,
    output: str | None,
    vhost: str | None,
    rabbitmq: str | None,
    format: str = "definitions",
    cluster: str | None = None,
) -> int:
    choice("--format", format, EXPORT_FORMATS)
    if cluster is not None and format != "topology-operator":
        raise UsageError("--cluster is for --format topology-operator")
    if vhost is not None and not 0 < len(vhost.encode("utf-8", "surrogatepass")) <= LONGEST_VHOST:
        raise UsageError(f"the name of a vhost has 1 to {LONGEST_VHOST} bytes")
    document, warnings = definitions_of(scenario_of(path, rabbitmq), vhost)
    if format == "definitions":
        write_problems(warnings)
        write(lambda out: lines_of(document), path, output)
        return OK
    from routesim.scenario.imports.writing_objects import KubernetesObjects

    objects = KubernetesObjects(document, cluster or CLUSTER, path)
    write_problems([*warnings, *objects.warnings])
    write(lambda out: objects.lines(ascii=not is_utf8(out)), path, output)
    return OK


def _scenario(found: Imported, file: str, what: str | None, *, ascii: bool) -> Iterator[str]:
    """The scenario with what there is to say about it."""
    topology = found.topology
    kind = f" ({what})" if what else ""
    comments = [f"Imported from {scalar(file)}{kind}, vhost {scalar(topology.vhost)}."]
    if found.left_out:
        comments += ["", "Left out:", *(f"  {sentence}" for sentence in found.left_out)]
    yield from yaml_lines(scenario_sections(topology), comments, apart=True, ascii=ascii)
    message = _example(topology)
    if message is not None:
        yield from ("", "# Publish something, and see where it goes:", "# steps:", f"#   - publish: {message}")


def _example(topology: DeclaredTopology) -> str | None:
    """A message that the first binding takes, or the first queue; None when there is neither."""
    if topology.bindings:
        source, key = topology.bindings[0].source, topology.bindings[0].routing_key
        words = ("anything" if word in ("*", "#") else word for word in key.split("."))
        return f"{{exchange: {scalar(source, ascii=True)}, routing_key: {scalar('.'.join(words), ascii=True)}}}"
    return f"{{routing_key: {scalar(topology.queues[0].name, ascii=True)}}}" if topology.queues else None


def is_utf8(out: IO[str]) -> bool:
    return (getattr(out, "encoding", None) or "utf-8").lower().replace("-", "") == "utf8"


def write(lines: Callable[[IO[str]], Iterable[str]], path: str | None, output: str | None) -> None:
    """Lines to the output, which may not be the file that they were made of."""
    if output is not None and path not in (None, "-") and same_file(path or "", output):
        raise UsageError(f"--output would overwrite {path}")
    try:
        with opened(output) as out:
            for line in lines(out):
                out.write(f"{line}\n")
    except CannotWrite as problem:
        raise UsageError(str(problem)) from None
