"""Commands that people type first, and what to type here."""

# Word -> the answer. `{rest}` is what stood behind the word.
COMMANDS: dict[str, str] = {
    **dict.fromkeys(
        ("validate", "lint", "analyze", "analyse", "audit", "doctor", "diagnose", "verify-file"),
        "`routesim check{rest}` finds what is wrong before a message is sent; `routesim run{rest}` runs it",
    ),
    **dict.fromkeys(
        ("test", "tests"), "`routesim run{rest}` runs scenarios and what they expect; `routesim check{rest}` looks without running"
    ),
    **dict.fromkeys(
        ("simulate", "sim", "exec", "execute", "play", "replay", "start", "trace", "show", "debug", "step", "shell", "repl", "console"),
        "`routesim run{rest}` prints what happens, `routesim run{rest} --step` goes through it event by event",
    ),
    "watch": "`routesim run{rest} --watch` runs again whenever a file changes",
    **dict.fromkeys(("init", "create", "scaffold", "template", "templates"), "`routesim new shop` writes a first scenario; `routesim new --list`"),
    **dict.fromkeys(("examples", "example", "samples", "demo", "list", "ls"), "`routesim run --list` says which scenarios come along; `routesim run hello` runs one"),
    **dict.fromkeys(("help", "usage", "man"), "`routesim --help` lists the commands, `routesim COMMAND --help` tells of one"),
    "version": "`routesim --version` says which routesim this is, `routesim versions` which RabbitMQ versions it knows",
    **dict.fromkeys(("route", "where", "match"), "`routesim explain route FILE EXCHANGE KEY` tells where a message goes, and why not elsewhere"),
    "why": "`routesim explain message FILE ID` tells what became of a message, and why; `routesim explain route FILE EXCHANGE KEY` why a queue is not reached",
    **dict.fromkeys(
        ("publish", "send", "produce", "emit"),
        "messages are steps of a scenario: write `steps: [publish: {exchange: NAME, routing_key: KEY}]` and `routesim run FILE`; "
        "`routesim explain route FILE EXCHANGE KEY` asks for one message",
    ),
    **dict.fromkeys(("consume", "subscribe"), "consumers stand in a scenario: write `consumers: {NAME: {queue: QUEUE}}` and `routesim run FILE`"),
    **dict.fromkeys(("topic", "topics", "topic-test"), "`routesim explain topic KEY PATTERN...` tells which binding keys match"),
    **dict.fromkeys(("draw", "plot", "diagram", "visualize", "visualise", "viz", "dot", "mermaid", "svg", "picture"), "`routesim graph{rest}` draws a topology"),
    **dict.fromkeys(("report", "html", "open", "browse"), "`routesim run{rest} -o report.html` writes a page to look at"),
    **dict.fromkeys(("compare",), "`routesim diff OLD NEW` compares topologies, `routesim celery compare FILE` RabbitMQ and Redis"),
    **dict.fromkeys(("migrate", "migration", "update", "outdated"), "`routesim upgrade{rest} --rabbitmq 3.13..4.3` tells what changes"),
    **dict.fromkeys(("ui", "web", "gui", "dashboard"), "`routesim run FILE -o report.html` writes a page to look at; `routesim serve` has a page that is live"),
    **dict.fromkeys(("plan", "preview"), "`routesim diff OLD NEW` tells which messages go elsewhere and what cannot be redeclared; `routesim upgrade FILE --rabbitmq 3.13..4.3` what another version changes"),
    **dict.fromkeys(("apply", "deploy", "sync"), "nothing is sent anywhere: `routesim export FILE` writes a definitions file for a broker; `routesim run FILE` runs a scenario"),
    **dict.fromkeys(("fuzz", "stress", "chaos", "bench", "benchmark"), "`routesim explore{rest}` tries every order of events and every failure; `routesim run FILE --seeds 1..100` runs once a seed"),
    **dict.fromkeys(("fmt", "format", "reformat"), "files are left as they are; `routesim docs format` has every key of a scenario"),
    **dict.fromkeys(("search", "find", "grep"), "`routesim docs --search WORD` says where a word stands"),
    **dict.fromkeys(("config", "configure", "settings", "options", "env"), "there is no file of settings: `routesim COMMAND --help` has a command's options, `routesim docs format` what a scenario may say"),
    **dict.fromkeys(("install", "setup", "uninstall"), "it is installed; `routesim completion bash` completes commands in a shell, `routesim schema` scenarios in an editor"),
    "redis": "`routesim celery compare FILE` runs a scenario on RabbitMQ and on Redis; `routesim docs celery#on-redis`",
    **dict.fromkeys(("broker", "server", "listen", "mock", "emulate", "up"), "`routesim serve` is a RabbitMQ for real clients"),
    **dict.fromkeys(("convert", "load", "definitions", "import_definitions", "import-definitions"), "`routesim import{rest}` turns a definitions file into a scenario"),
    **dict.fromkeys(("save", "dump", "export_definitions", "export-definitions"), "`routesim export{rest}` turns a scenario into a definitions file"),
    **dict.fromkeys(("monitor", "flower", "expand"), "`routesim celery --help` lists what there is of Celery"),
    **dict.fromkeys(("completions", "autocomplete"), "`routesim completion bash` prints the script"),
    **dict.fromkeys(("guide", "manual", "doc", "readme"), "`routesim docs` lists the pages"),
    **dict.fromkeys(("tutorial", "quickstart"), "`routesim docs tutorial` is a first hour; `routesim docs` lists the pages"),
    **dict.fromkeys(("ps", "status", "info", "stats", "top", "logs", "log", "tail"), "`routesim run FILE` prints every event and what is where at the end, `--message`, `--queue` and `--consumer` choose rows; `routesim celery monitor FILE` shows it over time"),
    **dict.fromkeys(("stop", "kill", "crash", "down", "restart", "reset", "fail"), "what fails is a step of a scenario: `routesim docs failures` has all of them; `routesim explore FILE` tries every one"),
    # rabbitmqctl's, rabbitmqadmin's and the management page's.
    **dict.fromkeys(
        ("list_queues", "list_exchanges", "list_bindings", "list_consumers", "list-queues", "list-exchanges", "list-bindings",
         "queues", "exchanges", "bindings", "binding", "topology", "view"),
        "`routesim graph FILE` shows exchanges, bindings and queues; `routesim run FILE` what is in the queues at the end",
    ),
    **dict.fromkeys(("queue", "get", "peek", "describe"), "`routesim explain queue FILE QUEUE` tells what reaches a queue and what is in it; `routesim run FILE --queue QUEUE` what happened there"),
    **dict.fromkeys(("exchange", "bind", "declare", "declare_queue", "declare_exchange", "delete", "purge", "policy", "set_policy"),
        "topology and steps stand in a scenario: `routesim new shop` writes one, `routesim docs format` has the sections, `routesim docs steps` the steps",
    ),
    **dict.fromkeys(("rabbitmqctl", "rabbitmqadmin"), "routesim talks to no broker here: `routesim import --management URL` reads one, `routesim serve` is one for rabbitmqadmin"),
    **dict.fromkeys(("inspect", "worker", "workers", "active", "events", "beat"), "`routesim run FILE` runs Celery's workers and beat, `routesim celery monitor FILE` shows them over time; `routesim import celery APP` reads an app"),
    **dict.fromkeys(("pytest", "make", "ci", "pre-commit"), "pytest collects `*.scenario.yaml` by itself, `routesim run .` runs them; `routesim docs ci` has the blocks to paste"),
    "task": "`routesim explain task FILE ID` tells where a task went, and why",
    "message": "`routesim explain message FILE ID` tells what became of a message, and why",
    "error": "`routesim explain error CODE` explains an error of AMQP, Celery or routesim",
    "seeds": "`routesim run{rest} --seeds 1..100` runs once a seed",
}  # fmt: skip

TEMPLATES: dict[str, str] = {
    **dict.fromkeys(("fanout", "broadcast", "publish-subscribe", "pub-sub"), "pubsub"), "direct": "routing", "topic": "topics",
    **dict.fromkeys(("ack", "acks", "nack", "failure", "redelivery"), "crash"), **dict.fromkeys(("dlx", "dlq", "deadletter"), "dead-letter"),
    **dict.fromkeys(("ttl", "delay", "schedule"), "delayed"), **dict.fromkeys(("retries", "backoff"), "retry"),
    **dict.fromkeys(("request-reply", "reply"), "rpc"), **dict.fromkeys(("queue", "queues", "default", "worker", "workers", "hello"), "work-queue"),
    **dict.fromkeys(("priorities",), "priority"), **dict.fromkeys(("streams", "log"), "stream"),
    **dict.fromkeys(("alternate", "alternate-exchange", "unroutable"), "unrouted"), **dict.fromkeys(("task", "tasks"), "celery"),
}  # fmt: skip

# Words asked of `explain` that have no part of their own -> the answer.
EXPLAINED: dict[str, str] = {
    **dict.fromkeys(("vhost", "vhosts"), "a scenario has one vhost (`vhost: NAME`); `routesim docs --search vhost` shows where the pages speak of it"),
    **dict.fromkeys(("lazy", "lazy-queue", "lazy_queue"), "`routesim docs --search lazy` shows what becomes of lazy mode: from RabbitMQ 3.12 on it changes nothing"),
    **dict.fromkeys(("ladder", "backoff", "delay-ladder", "retries"), "`routesim run delay-ladder` waits longer each time, with a queue for each pause; `routesim explain retry` explains the word, `routesim new FILE --template retry` writes a first one"),
    **dict.fromkeys(("consumers", "subscriber"), "`routesim explain consumer` explains the word"),
    **dict.fromkeys(("x-death", "deaths"), "`routesim explain dead-letter` explains the word, `routesim docs rules/routing#4` all of it"),
    **dict.fromkeys(("mingle", "gossip", "pidbox", "celeryev", "revoke"), "`routesim docs celery` tells of workers; `routesim docs --search` shows where a word stands"),
    **dict.fromkeys(("ha-mode", "ha-all", "ha-params", "mirroring", "mirrored"), "mirrored queues are gone from RabbitMQ 4.0 on, `routesim upgrade FILE --rabbitmq 3.13..4.3` finds them; `routesim explain queue` tells of quorum queues"),
    **dict.fromkeys(("event", "events"), "`routesim docs trace` explains every event, `routesim explain` with a word (dead-letter, lost, ack …) that word"),
    **dict.fromkeys(("why", "where"), "`routesim explain message FILE ID` tells what became of a message, `routesim explain route FILE EXCHANGE KEY` why a queue is not reached"),
}  # fmt: skip
# Options of other programs -> what there is here, of commands that have `--format`.
FLAGS: dict[str, str] = {
    "--json": "write `--format json`", "--html": "write `--format html`, or `-o report.html`", "--xml": "write `--format junit`",
    "--junit": "write `--format junit`", "--tap": "write `--format tap`", "--github": "write `--format github`",
    **dict.fromkeys(("--svg", "--png", "--dot", "--mermaid"), "`routesim graph FILE -o graph.svg` draws a topology, `-o report.html` is a page"),
    "--debug": "it stands before the command: `routesim --debug …`",
    **dict.fromkeys(("--fail-fast", "--maxfail", "-x", "--exitfirst"), "all files are looked at, and the status is 1 where one fails"),
    **dict.fromkeys(("--file", "--input", "-i"), "a file is named without an option"),
    **dict.fromkeys(("--verbose", "-v", "-vv", "--trace"), "all events are printed without it, `-q` leaves them out"),
}  # fmt: skip
# The same, of whichever command has the option that is named.
OPTIONS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("--routing-key", "--routing_key", "--rk"), ("--key", "write `--key KEY`")),
    **dict.fromkeys(("--host", "--url", "--uri", "--amqp", "-H"), ("--broker", "write `--broker amqp://user:password@host`")),
    **dict.fromkeys(
        ("--filter", "--grep", "--only", "-k", "--tail", "--limit", "--head"),
        ("--message", "`--message`, `--queue` and `--consumer` choose rows of the trace"),
    ),
    **dict.fromkeys(
        ("--timeout", "--duration", "--time", "--for"), ("--until", "`--until 30s` ends the run after so much virtual time")
    ),
    **dict.fromkeys(("--type", "--kind", "--pattern"), ("--template", "write `--template NAME`; `--list` says which there are")),
    **dict.fromkeys(("--version", "--target", "--broker-version"), ("--rabbitmq", "write `--rabbitmq VERSION`")),
}

STATUS = "the exit status is the short answer, 0 or 1; `-o FILE` writes the long one to a file"
# And of one command alone.
OF_COMMAND: dict[tuple[str, str], str] = {
    **dict.fromkeys(
        (("run", "--dry-run"), ("run", "--dry"), ("run", "-n"), ("run", "--check")),
        "a run is a simulation, nothing is sent anywhere; `routesim check FILE` looks without running",
    ),
    **dict.fromkeys(
        (("check", "--strict"), ("check", "--werror"), ("check", "--error"), ("check", "--max-warnings")),
        "write `--fail-on warning`, or `--fail-on note`",
    ),
    **dict.fromkeys((("run", "-i"), ("run", "--interactive"), ("run", "--pdb")), "write `--step`, which needs a terminal"),
    **dict.fromkeys((("run", "--cov"), ("run", "--report-coverage")), "write `--coverage`"),
    **dict.fromkeys(
        (("run", "--summary"), ("run", "--no-trace"), ("run", "-s"), ("run", "--silent"), ("run", "--short")),
        "write `--quiet`: the verdict and what failed; `--message`, `--queue` and `--consumer` choose rows of the trace",
    ),
    **dict.fromkeys(
        (("run", "-d"), ("run", "--detach"), ("run", "--daemon")),
        "a run is over in a moment: its time is virtual; `routesim serve FILE` goes on",
    ),
    ("run", "--strict"): "write `--fail-on-loss`; `routesim check FILE --fail-on warning` is strict about the topology",
    **dict.fromkeys(
        (("check", "--fix"), ("check", "--write")),
        "no file is changed: the help of a finding says what to write, `--witness FILE` writes a scenario that shows it",
    ),
    **{(command, option): STATUS for command in ("upgrade", "check", "diff") for option in ("-q", "--quiet", "-s", "--silent")},
    (
        "diff",
        "--rabbitmq",
    ): "write `rabbitmq: VERSION` in the files; `routesim upgrade FILE --rabbitmq 3.13..4.3` compares two versions",
    ("celery", "--rabbitmq"): "write `rabbitmq: VERSION` in the file",
    **dict.fromkeys(
        (("completion", "--install"), ("completion", "--install-completion"), ("completion", "-i")),
        "the script is printed, for a file that the shell reads: `{}`",
    ),
}

# Of Celery's own commands, typed behind `routesim celery`.
OF_CELERY = (
    "`routesim celery monitor FILE` shows workers and tasks over time; `routesim import celery APP` makes a FILE of an app"
)
CELERYS = frozenset(
    [
        "amqp",
        "beat",
        "call",
        "control",
        "events",
        "flower",
        "graph",
        "inspect",
        "list",
        "logtool",
        "migrate",
        "multi",
        "purge",
        "report",
        "result",
        "shell",
        "status",
        "upgrade",
        "worker",
    ]
)


def answer(word: str, rest: list[str]) -> str:
    """What to type instead; "" where nobody has thought of the word."""
    shown = "".join(f" {item}" for item in rest if not item.startswith("-"))
    return COMMANDS.get(word.lower(), "").replace("{rest}", shown or " FILE")
