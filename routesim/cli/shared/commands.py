"""The commands: each is imported when it is called, so that none pays for the others."""

from importlib import import_module

from routesim.cli.shared.help import CliCommand
from routesim.named_tuples import NamedTuple


class Listed(NamedTuple):
    """Where a command is (a `help.Command` in a module) and its line in the list, which is the first of its docstring."""

    module: str
    attribute: str
    line: str


COMMANDS: dict[str, Listed] = {
    "run": Listed("run", "COMMAND", "Run scenarios through the embedded engine and print what happened."),
    "import": Listed(
        "import_", "COMMAND",
        "Turn a broker's definitions, or another program's topology, into a scenario that says what was left out, and why."
    ),
    "import celery": Listed(
        "import_celery", "COMMAND",
        "Turn a Celery app's configuration into a scenario: queues, routes, workers, tasks, beat. No broker is needed."
    ),
    "import faststream": Listed(
        "importers.import_program", "FASTSTREAM",
        "Turn what a FastStream app declares when it starts into a scenario. No broker is needed.",
    ),
    "import kombu": Listed(
        "importers.import_program", "KOMBU",
        "Turn the exchanges and queues of kombu in a module into a scenario. No broker is needed.",
    ),
    "export": Listed(
        "export", "COMMAND",
        "Turn a scenario's topology into a definitions file for a broker, and tell what such a file cannot carry."
    ),
    "schema": Listed("schema", "COMMAND", "Print the JSON Schema of scenarios, by which an editor completes and checks them."),
    "new": Listed("new", "COMMAND", "Write a first scenario of a pattern: a work queue, publish/subscribe, retries and more."),
    "explain": Listed("explain", "COMMAND", "Why a message goes somewhere, and why not elsewhere."),
    "check": Listed(
        "check", "COMMAND", "Find what a topology loses, loops or never does, each error with a message that shows it."
    ),
    "explore": Listed(
        "explore", "COMMAND",
        "Try every order of events and every failure, and show the shortest way in which a message is lost or stuck."
    ),
    "graph": Listed(
        "graph", "COMMAND", "Draw exchanges, queues and all the ways between them, and the way that a message takes."
    ),
    "diff": Listed(
        "diff", "COMMAND", "Which messages reach other queues than before, what cannot be redeclared in place, what is lost."
    ),
    "verify": Listed("verify", "COMMAND", "Run scenarios here and on a real RabbitMQ, and compare what can be seen."),
    "record": Listed("record", "COMMAND", "Listen to a real RabbitMQ's firehose, and write what happened as a scenario."),
    "serve": Listed(
        "serve", "COMMAND", "Be a RabbitMQ of any version for real clients, and say what becomes of each of their messages."
    ),
    "serve advance": Listed("serve_asking", "ADVANCE", "Let time pass at once in a server that runs."),
    "serve fail": Listed("serve_asking", "FAIL", "Let something go wrong in a server that runs."),
    "serve snapshot": Listed("serve_asking", "SNAPSHOT", "Remember how all is in a server that runs, under a name."),
    "serve restore": Listed("serve_asking", "RESTORE", "All in a server is as it was when the snapshot was taken."),
    "serve why": Listed("serve_asking", "WHY", "What became of a message in a server that runs, and why."),
    "celery": Listed("celery", "COMMAND", "Celery apps in a scenario: what they declare, send and consume."),
    "versions": Listed(
        "versions", "VERSIONS",
        "The versions of RabbitMQ that are known, what of each was proven live or read, and every rule that differs between them."
    ),
    "upgrade": Listed(
        "versions", "UPGRADE",
        "What is refused, runs differently or is found by check under one of two versions alone, and which rules touch the file."
    ),
    "docs": Listed(
        "docs", "COMMAND", "Read the documentation: guides, the format of scenarios, the rules of RabbitMQ and Celery, errors."
    ),
    "completion": Listed(
        "completion", "COMMAND", "Print the script by which bash, zsh or fish completes commands, files and the names in them."
    ),
}  # fmt: skip
# How the list of commands is parted; a command of no group is of the last one.
GROUPS: dict[str, tuple[str, ...]] = {
    "Try": ("new", "run", "explain", "graph"),
    "Guard": ("check", "explore", "diff", "upgrade", "versions"),
    "Real broker": ("import", "import faststream", "import kombu", "export", "verify", "record", "serve"),
    "Running server": ("serve advance", "serve fail", "serve snapshot", "serve restore", "serve why"),
    "Celery": ("import celery", "celery"),
    "Setup": (),
}


def command_of(name: str) -> CliCommand:
    """One of `COMMANDS`, imported."""
    listed = COMMANDS[name]
    command: CliCommand = getattr(import_module(f"routesim.cli.{listed.module}"), listed.attribute)
    return command
