"""What `routesim import` makes of the words on its command line: which kind of files they name, and whether there is such one."""

import os

from routesim.cli.handlers.converting import checked, import_file, write_imported
from routesim.cli.shared.exits import UNUSABLE, UsageError
from routesim.cli.shared.output import read_stdin, stderr_line
from routesim.cli.shared.refusing import write_problems
from routesim.diagnostics import Invalid, did_you_mean
from routesim.scenario.imports.importing import imported_from
from routesim.scenario.imports.sight import KINDS, ForeignKind, kind_of
from routesim.scenario.yaml.source import Source, read_source

DEFINITIONS = "definitions"
APPS = ("celery", "faststream", "kombu")  # commands of their own
# Libraries that declare what they need on a channel that is open, wherever the program comes to it.
LIVE = ("aio-pika", "pika")
OTHER_WORDS = {
    "kubernetes": "topology-operator", "k8s": "topology-operator", "helm": "topology-operator", "kustomize": "topology-operator",
    "messenger": "symfony", "rabbitmq-bundle": "old-sound", "php-amqplib": "old-sound", "tf": "terraform", "openapi": "asyncapi",
    "aiopika": "aio-pika",
}  # fmt: skip
WORDS = (DEFINITIONS, *KINDS, *APPS, *LIVE)
BROKERS = ("rabbitmq", "rabbit", "broker", "management", "amqp")
API_PORT = 15672


def import_words(words: list[str], vhost: str | None, format: str, output: str | None, rabbitmq: str | None) -> int:
    checked(format, rabbitmq)
    first, *files = words
    if first in LIVE:
        stderr_line(f"error: {first} declares on a live channel: what it declares is known only when the program runs")
        stderr_line("  `routesim serve --record shop.yaml` is a broker for it that writes down what it declares and sends;")
        stderr_line("  `routesim record` listens to the broker that it has already")
        return UNUSABLE
    if running := next(filter(None, (_of_a_broker(word, alone=not files) for word in words)), ""):
        raise UsageError(f"{running}; a file of it is `routesim import definitions.json`")
    if first not in (DEFINITIONS, *KINDS) or os.path.exists(first):
        if files or _seems_a_kind(first):
            meant = _meant(first)
            raise UsageError(
                f"'{first}' is neither a file nor a kind of files{f'; {meant}' if meant else ''}; kinds: {', '.join(WORDS)}"
            )
        return import_one(first, vhost, format, output, rabbitmq)
    if not files:
        raise UsageError(f"import {first} needs a file: `routesim import {first} FILE`")
    if first == DEFINITIONS:
        if len(files) > 1:
            raise UsageError("a definitions file is imported by itself")
        return import_file(files[0], vhost, format, output, rabbitmq)
    return import_kind(KINDS[first], files, vhost, format, output, rabbitmq)


def _of_a_broker(word: str, *, alone: bool) -> str:
    """What reads the running broker that the word means: an address (whose password is not repeated), or, alone, a name."""
    if os.path.exists(word):
        return ""
    if alone and word.lower() in BROKERS:
        return f"'{word}' is no file; a running broker is read by `routesim import --management http://HOST:{API_PORT}`"
    scheme, separator, rest = word.partition("://")
    if not separator or scheme.lower() not in ("http", "https", "amqp", "amqps"):
        return ""
    user, at, host = rest.partition("/")[0].rpartition("@")
    if not scheme.lower().startswith("http"):
        scheme, host = "http", f"{host.partition(':')[0]}:{API_PORT}"
    address = f"{scheme}://{'USER:PASSWORD@' if at and user else ''}{host}"
    return f"an address is no file: write `routesim import --management {address}`"


def _seems_a_kind(word: str) -> bool:
    """A word that is no file, and was meant for a kind."""
    return not os.path.exists(word) and word != "-" and (word in APPS or bool(_meant(word)))


def _meant(word: str) -> str:
    other = OTHER_WORDS.get(word.lower())
    return f"did you mean '{other}'?" if other is not None else did_you_mean(word, WORDS)


def import_one(path: str, vhost: str | None, format: str, output: str | None, rabbitmq: str | None) -> int:
    """A file, whose kind it shows itself; a definitions file where it does not."""
    if os.path.isdir(path):
        return import_kind(KINDS["topology-operator"], [path], vhost, format, output, rabbitmq)
    stdin = read_stdin() if path == "-" else None
    try:
        source = read_source(path, stdin)
    except Invalid:
        return import_file(path, vhost, format, output, rabbitmq, stdin)
    kind = kind_of(source.text)
    if kind is None:
        return import_file(path, vhost, format, output, rabbitmq, stdin)
    return _import(kind, [source], path, vhost, format, output, rabbitmq)


def import_kind(
    kind: ForeignKind, paths: list[str], vhost: str | None, format: str, output: str | None, rabbitmq: str | None
) -> int:
    try:
        sources = [source for path in paths for source in _sources(kind, path)]
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        return UNUSABLE
    return _import(kind, sources, paths[0], vhost, format, output, rabbitmq)


def _sources(kind: ForeignKind, path: str) -> list[Source]:
    """The texts that a word on the command line means. Raises `Invalid`."""
    if os.path.isdir(path) and kind.name == "topology-operator":
        from routesim.scenario.imports.folders import sources_in

        sources = sources_in(path)
        if not sources:
            raise UsageError(f"{path} has no Kubernetes objects in it: no file of YAML or JSON that begins with an apiVersion")
        return sources
    return [read_source(path, read_stdin() if path == "-" else None)]


def _import(
    kind: ForeignKind, sources: list[Source], path: str, vhost: str | None, format: str, output: str | None, rabbitmq: str | None
) -> int:
    try:
        found = imported_from(kind, sources, vhost, rabbitmq=rabbitmq)
    except Invalid as invalid:
        write_problems(invalid.diagnostics)
        return UNUSABLE
    name = "stdin" if path == "-" else os.path.basename(os.path.normpath(path))
    more = f" and {len(sources) - 1} more" if len(sources) > 1 and not os.path.isdir(path) else ""
    return write_imported(found, f"{name}{more}", path, format, output, what=kind.what)
