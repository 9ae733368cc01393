"""What may stand at a place of the command line: commands, options, their values, files, and names out of a given file."""

import os
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

from routesim.cli.shared.commands import COMMANDS
from routesim.cli.shells.walking import HELP, CommandLine, attached_value, walked
from routesim.diagnostics import Invalid
from routesim.named_tuples import NamedTuple
from routesim.report.formats import ANSWER, CHECK, COMPARE, DIFF, EXPLORE, GRAPH, MONITOR, RUN, SEEDS, VERIFY, formats_of

MOST = 2_000  # names at one place: more than anybody looks through
LARGEST_BYTES = 2_000_000  # a larger file is not read between two keys

# Kinds of places. Shells that know their own files best may take the kind and leave the list.
WORDS, SCENARIOS, FILES, FOLDERS = "words", "scenarios", "files", "folders"
# Which files are meant, by their endings; none: folders alone.
PATHS = {SCENARIOS: (".yaml", ".yml", ".json"), FILES: ("",), FOLDERS: ()}


class Suggestion(NamedTuple):
    """`text` stands for the whole word on the command line; `help` is one line or empty. Files have no help."""

    text: str
    help: str = ""


class Suggestions(NamedTuple):
    """`head`: how much of the word stands before what is completed: `--format=`."""

    kind: str
    items: tuple[Suggestion, ...] = ()
    head: str = ""


Source = str | Callable[[CommandLine], Iterable[str]] | None


def suggestions(command: Any, words: list[str], word: str) -> Suggestions:
    """What `word`, which follows the `words`, may become."""
    asked = walked(command, words)
    if asked.unknown is not None:
        return Suggestions(WORDS)
    if asked.waiting is not None:
        return _values(asked, asked.waiting, "", word)
    if asked.options and word[:1] == "-":
        found, at = attached_value(asked, word)
        return _options(asked, word) if at is None else _values(asked, found, word[:at], word[at:])
    if asked.is_group:
        return _words(_commands(asked), "", word)
    argument = asked.next_argument()
    if argument is not None:
        found = _values(asked, argument, "", word)
        if asked.options and not asked.given:
            found = found._replace(items=(*_second_words(asked, word), *found.items))
        # A name that looks like an option can be an argument behind -- only.
        kept = tuple(item for item in found.items if not asked.options or item.text[0] != "-")
        return found._replace(items=kept)
    return _options(asked, word) if asked.options and not word else Suggestions(WORDS)


def _words(items: Iterable[Suggestion], head: str, word: str) -> Suggestions:
    found: dict[str, Suggestion] = {}
    for item in items:
        if len(found) >= MOST:
            break
        if item.text.startswith(word) and item.text:
            found.setdefault(item.text, item._replace(text=head + item.text))
    return Suggestions(WORDS, tuple(found.values()), head)


def _commands(asked: CommandLine) -> Iterator[Suggestion]:
    if not asked.path:
        yield from (Suggestion(name, listed.line) for name, listed in COMMANDS.items() if " " not in name)
        return
    for name in asked.command.shown():
        yield Suggestion(name, (asked.command.get_command(None, name).help or "").strip().partition("\n")[0])
    if hasattr(asked.command, "words"):
        yield from (Suggestion(word, "What this word means.") for word in asked.command.words())


def _second_words(asked: CommandLine, word: str) -> Iterator[Suggestion]:
    """What makes a command of two words out of the command, beside its files: `celery` behind `import`, and a kind of files."""
    for name, listed in COMMANDS.items():
        first, _, second = name.partition(" ")
        if (first,) == asked.path and second and second.startswith(word):
            yield Suggestion(second, listed.line)
    if asked.path == ("import",):
        from routesim.scenario.imports.sight import KINDS

        yield from (Suggestion(kind.name, f"From {kind.what}.") for kind in KINDS.values() if kind.name.startswith(word))


def _options(asked: CommandLine, word: str) -> Suggestions:
    items = []
    for parameter in asked.command.params:
        if parameter.param_type_name == "option" and (parameter.multiple or parameter.name not in asked.given):
            items += [Suggestion(name, parameter.help or "") for name in parameter.opts]
    items += [Suggestion(name, "Show this message and exit.") for name in HELP]
    return _words(items, "", word)


def _values(asked: CommandLine, parameter: Any, head: str, word: str) -> Suggestions:
    source = source_of(asked, parameter)
    if source is None:
        return Suggestions(WORDS)
    if isinstance(source, str):
        return Suggestions(source, tuple(_files(head, word, PATHS[source])), head)
    try:
        return _words((Suggestion(text) for text in source(asked)), head, word)
    except (Invalid, OSError, ValueError, RecursionError):  # a file that is not there, or half written
        return Suggestions(WORDS)


def source_of(asked: CommandLine, parameter: Any) -> Source:
    """Where the values of a parameter come from; None: only the person knows. Raises `KeyError` for one nobody thought of."""
    for path in (" ".join(asked.path), asked.path[0] if asked.path else ""):
        if f"{path} {parameter.name}" in SOURCES:
            return SOURCES[f"{path} {parameter.name}"]
    return SOURCES[parameter.name]


def _files(head: str, word: str, endings: tuple[str, ...]) -> Iterator[Suggestion]:
    """Files of these endings, and folders, whose names go on with a slash."""
    folder, _, start = word.rpartition("/")
    folder += "/" if "/" in word else ""
    try:
        with os.scandir(_path(folder) or ".") as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries)
    except (OSError, ValueError):
        return
    for name, is_folder in found:
        if name.startswith(start) and (start.startswith(".") or not name.startswith(".")):
            if is_folder:
                yield Suggestion(f"{head}{folder}{name}/")
            elif name.endswith(endings):
                yield Suggestion(f"{head}{folder}{name}")


def _path(text: str) -> str:
    """A path as the shell would make it of what is written."""
    return os.path.expandvars(os.path.expanduser(text))


# Values that are always the same --------------------------------------------------------------------------------------


def _of(module: str, attribute: str) -> Callable[[CommandLine], Iterable[str]]:
    """The names in a table, which is imported only when it is asked for."""

    def names(asked: CommandLine) -> Iterable[str]:
        table: Iterable[str] = getattr(import_module(f"routesim.{module}"), attribute)
        return table

    return names


def _formats(shown: str) -> Callable[[CommandLine], Iterable[str]]:
    return lambda asked: formats_of(shown)


def _run_formats(asked: CommandLine) -> Iterable[str]:
    if "step" in asked.given:
        return ("table",)
    if "plot" in asked.given or "watch" in asked.given:
        return ("table", "plain")
    return formats_of(SEEDS if "seeds" in asked.given else RUN)


def _spans(asked: CommandLine) -> Iterable[str]:
    """From each version to each later one."""
    from routesim.versions import NEWEST_PATCH

    names = list(NEWEST_PATCH)
    return (f"{old}..{new}" for at, old in enumerate(names) for new in names[at + 1 :])


def _templates(asked: CommandLine) -> Iterable[str]:
    from routesim.scenario.starting import templates

    return templates()


def _codes(asked: CommandLine) -> Iterable[str]:
    from routesim.explain.pages.errors import PAGES
    from routesim.explain.pages.reply_codes import REPLIES

    return [*PAGES, *(str(number) for number in REPLIES)]


def _exchange_types(asked: CommandLine) -> Iterable[str]:
    from routesim.cli.handlers.explaining import exchange_types

    return exchange_types()


def _pages(asked: CommandLine) -> Iterable[str]:
    from routesim.explain.pages import documents

    return documents.topics()


# Names in the file that the command line names ------------------------------------------------------------------------


def _scenario(asked: CommandLine) -> Any:
    from routesim.scenario import load

    return load(_file(asked), lenient=True)


def _file(asked: CommandLine) -> str:
    """Raises `OSError`. What is no ordinary file, such as a pipe, is not touched: to read it might take it away."""
    given = (asked.given.get(name) for name in ("file", "files", "old"))
    path = _path(next((paths[0] for paths in given if paths), ""))
    if not os.path.isfile(path) or os.path.getsize(path) > LARGEST_BYTES:
        raise FileNotFoundError(path)
    return path


def _exchanges(asked: CommandLine) -> Iterable[str]:
    names = _scenario(asked).topology.exchanges
    return sorted(names, key=lambda name: name.startswith("amq."))  # what the scenario declares comes first


def _queues(asked: CommandLine) -> Iterable[str]:
    return list(_scenario(asked).topology.queues)


def _consumers(asked: CommandLine) -> Iterable[str]:
    scenario = _scenario(asked)
    return [*scenario.consumers, *scenario.workers]


def _everything(asked: CommandLine) -> Iterable[str]:
    """All that a graph shows."""
    from routesim.graph import graph_of

    return [key.name for key in graph_of(_scenario(asked)).nodes]


def _publishes(scenario: Any) -> Iterator[Any]:
    from routesim.scenario import PublishMany

    return (step.action for step in scenario.steps if isinstance(step.action, PublishMany))


def _messages(asked: CommandLine) -> Iterator[str]:
    for action in _publishes(_scenario(asked)):
        yield from (action.id(index) for index in range(min(action.times, MOST)))


def _tasks(asked: CommandLine) -> Iterator[str]:
    """The ids of tasks that steps send."""
    from routesim.values import raw

    for action in _publishes(_scenario(asked)):
        headers = action.message.headers or {}
        if "task" in headers:
            id = raw(headers.get("id"))
            yield from [id] if isinstance(id, str) else (action.id(index) for index in range(min(action.times, MOST)))


def _keys(asked: CommandLine) -> Iterator[str]:
    """The keys with which the scenario publishes to the exchange, and those that bindings await as they are."""
    scenario = _scenario(asked)
    exchange = (asked.given.get("exchange") or asked.given.get("where") or [""])[-1]
    yield from (action.message.routing_key for action in _publishes(scenario) if action.message.exchange == exchange)
    if not exchange:
        yield from scenario.topology.queues
    elif exchange in scenario.topology.exchanges:
        for binding in scenario.topology.exchanges[exchange].bindings.values():
            if not {"*", "#"} & set(binding.routing_key.split(".")):
                yield binding.routing_key


def _where(asked: CommandLine) -> Iterator[str]:
    """An exchange, or, where one is named or the default exchange is meant, a key."""
    if "exchange" not in asked.given:
        yield from (name for name in _exchanges(asked) if not name.startswith("amq."))
    yield from _keys(asked)


def _vhosts(asked: CommandLine) -> Iterable[str]:
    from routesim.scenario import load_placed

    return load_placed(_file(asked))[1].vhosts


# By the name of the parameter, or, where two commands mean different things by it, by the command and that name.
SOURCES: dict[str, Source] = {
    "file": SCENARIOS, "files": SCENARIOS, "diff old": SCENARIOS, "diff new": SCENARIOS,
    "output": FILES, "record": FILES, "witness": FILES, "keep": FOLDERS, "directory": FOLDERS, "python": FILES,
    "record file": FILES,
    "run format": _run_formats, "explain format": _formats(ANSWER), "diff format": _formats(DIFF),
    "schema kind": _of("cli.schema", "KINDS"),
    "versions format": _formats(ANSWER), "upgrade format": _formats(ANSWER), "check format": _formats(CHECK),
    "explore format": _formats(EXPLORE),
    "graph format": _formats(GRAPH), "verify format": _formats(VERIFY), "celery monitor format": _formats(MONITOR),
    "celery compare format": _formats(COMPARE), "import format": _of("cli.handlers.converting", "IMPORT_FORMATS"),
    "export format": _of("cli.handlers.converting", "EXPORT_FORMATS"),
    "until": lambda asked: ("idle", "steps"), "template": _templates, "shell": _of("cli.completion", "SHELLS"),
    "select": _of("check", "RULES"), "ignore": _of("check", "RULES"), "fail_on": _of("diagnostics", "SEVERITIES"),
    "rabbitmq": _of("versions", "NEWEST_PATCH"), "old": _of("versions", "NEWEST_PATCH"), "new": _of("versions", "NEWEST_PATCH"),
    "between": _spans,
    "explain error code": _codes, "explain exchange type": _exchange_types, "topic": _pages,
    "exchange": _exchanges, "explain queue name": _queues, "expect_queue": _queues, "focus": _everything, "open": _everything,
    "message": _messages, "queue": _queues, "consumer": _consumers, "explain message id": _messages, "explain task id": _tasks,
    "explain route key": _keys, "key_option": _keys, "where": _where, "graph key": _keys, "vhost": _vhosts,
    "serve format": _of("report.formats.served", "FORMATS"),
    "failures": FILES, "failure": _of("failure_kinds", "FAILURES"), "overflow": _of("failure_kinds", "OVERFLOWS"),
    "write": FILES, "property": _of("explore.properties", "PROPERTIES"),
    "timing": _of("scenario.format.explore_format", "TIMINGS"),
    "expect": _of("scenario.format.explore_format", "EXPECT_MODES"),
    "color": _of("cli.main", "COLOURS"),
    "clock": _of("cli.handlers.servers.serving", "CLOCKS"), "users": FILES, "tls_cert": FILES, "tls_key": FILES,
    **dict.fromkeys((
        "seed", "seeds", "max_events", "jobs", "broker", "management", "speed", "fail_under", "random", "depth", "header",
        "key", "patterns", "criteria", "queues", "bindings", "new name", "export vhost", "cluster", "app", "workers", "timeout",
        "at",
        "every", "search", "visibility_timeout", "listener", "restart", "port", "host", "serve vhost", "add_vhost", "user",
        "history", "redact", "record vhost", "duration", "count", "most",
        "management_port", "server", "target", "after", "at_ack", "code", "text", "by", "time", "serve fail vhost",
        "import faststream vhost", "import kombu vhost",
        "serve snapshot vhost", "serve restore vhost", "serve why vhost", "serve snapshot name", "serve restore name",
        "serve why message",
        "explore failures", "walks", "most_ready", "max_states", "max_seconds", "max_memory",
    )),
}  # fmt: skip
