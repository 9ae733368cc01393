"""`routesim explain`: why, and why not."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from routesim.cli.shared.help import CliCommand, CliGroup, examples
from routesim.cli.shared.options import ANSWER_FORMAT, FILE, HEADERS, NEWEST_RABBITMQ, OUTPUT, RABBITMQ, VHOST
from routesim.cli.shared.parameters import Option, Positional

KEY = Annotated[str, Positional(metavar="KEY", help="The routing key.")]
PATTERNS = Annotated[list[str] | None, Positional(metavar="[PATTERN]...", help="Binding keys.")]

EXAMPLES = examples(
    "routesim explain topic order.created 'order.*' '#'",
    "routesim explain route scenarios/shoes.yaml shop ship.shoes",
    "routesim explain ack",
    "routesim explain COMMAND --help",
)
MORE = "A word such as ack, prefetch, dead-letter or trace is explained in one screen; `routesim docs words` has them all.\n\n"


def _with_words() -> type[Any]:
    from routesim.cli.shared.words import WithWords  # and typer

    return WithWords


def _said_of(word: str) -> Callable[[], int] | None:
    from routesim.cli.handlers.reading_docs import read
    from routesim.explain.pages.documents import place_of_word

    place = place_of_word(word)
    return partial(read, place) if place else None


GROUP = CliGroup(MORE + EXAMPLES, _with_words, _said_of)
_command = GROUP.command


@_command(
    "topic", epilog=examples("routesim explain topic ship.shoes", "routesim explain topic ship.shoes 'ship.*' ship.any '#.boots'")
)
def topic(
    key: KEY, patterns: PATTERNS = None, rabbitmq: NEWEST_RABBITMQ = None, format: ANSWER_FORMAT = None, output: OUTPUT = None
) -> None:
    """Which binding keys match a routing key, word by word; without any, it teaches."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.refusing import rules_of
    from routesim.explain.routes.topic import explain_topic

    answered(lambda: explain_topic(key, patterns or [], rules_of(rabbitmq)), format, output)


@_command("direct", epilog=examples("routesim explain direct error error warning"))
def direct(
    key: KEY, patterns: PATTERNS = None, rabbitmq: NEWEST_RABBITMQ = None, format: ANSWER_FORMAT = None, output: OUTPUT = None
) -> None:
    """Which bindings of a direct exchange match."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.refusing import rules_of
    from routesim.explain.routes.types import explain_direct

    answered(lambda: explain_direct(key, patterns or [], rules_of(rabbitmq)), format, output)


@_command("fanout", epilog=examples("routesim explain fanout anything red blue"))
def fanout(
    key: Annotated[str, Positional(metavar="[KEY]", help="The routing key; it decides nothing.")] = "",
    patterns: PATTERNS = None,
    rabbitmq: NEWEST_RABBITMQ = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """Why a fanout exchange ignores the key."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.refusing import rules_of
    from routesim.explain.routes.types import explain_fanout

    answered(lambda: explain_fanout(key, patterns or [], rules_of(rabbitmq)), format, output)


@_command("headers", epilog=examples("routesim explain headers -H size:=42 'x-match=any,kind=shoes,size:=42'"))
def headers(
    criteria: Annotated[
        list[str] | None, Positional(metavar="[CRITERIA]...", help="Arguments of bindings: k=text,k:=JSON,x-match=any.")
    ] = None,
    header: HEADERS = None,
    rabbitmq: NEWEST_RABBITMQ = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """Which bindings of a headers exchange a message's headers satisfy."""
    from routesim.cli.handlers.explaining import answered, table_of, tables_of
    from routesim.cli.shared.refusing import rules_of
    from routesim.explain.routes.types import explain_headers

    answered(lambda: explain_headers(table_of(header or []), tables_of(criteria or []), rules_of(rabbitmq)), format, output)


@_command("default", epilog=examples("routesim explain default jobs jobs mail"))
def default(
    key: KEY,
    queues: Annotated[list[str] | None, Positional(metavar="[QUEUE]...", help="Queues that exist.")] = None,
    rabbitmq: NEWEST_RABBITMQ = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """How the default exchange finds a queue by its name."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.refusing import rules_of
    from routesim.explain.routes.types import explain_default

    answered(lambda: explain_default(key, queues or [], rules_of(rabbitmq)), format, output)


@_command("exchange", epilog=examples(
    "routesim explain exchange x-consistent-hash order42 red=1 blue=3", "routesim explain exchange x-random order42 a.b",
))  # fmt: skip
def exchange(
    type: Annotated[str, Positional(metavar="TYPE", help="topic, direct, fanout, default, headers, or a rare one.")],
    key: Annotated[str, Positional(metavar="[KEY]", help="The routing key. Of headers there is none.")] = "",
    bindings: Annotated[
        list[str] | None,
        Positional(metavar="[BINDING]...", help="Binding keys; of hashes QUEUE=KEY, of default queues, of headers criteria."),
    ] = None,
    header: HEADERS = None,
    rabbitmq: NEWEST_RABBITMQ = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """Which bindings an exchange of any type chooses, and why: topic, x-consistent-hash, x-random and the others."""
    from routesim.cli.handlers.explaining import answer_of_exchange, answered
    from routesim.cli.shared.refusing import rules_of

    answered(lambda: answer_of_exchange(type, [key, *(bindings or [])], header or [], rules_of(rabbitmq)), format, output)


# The rare types as commands of their own, as they were before `exchange`.
def _hash(kind: str) -> None:
    @_command(kind, hidden=True, epilog=examples(f"routesim explain {kind} order42 red=1 blue=3"))
    def hashed(
        key: KEY,
        bindings: Annotated[
            list[str] | None, Positional(metavar="[QUEUE=KEY]...", help="Queues with their binding keys.")
        ] = None,
        rabbitmq: NEWEST_RABBITMQ = None,
        format: ANSWER_FORMAT = None,
        output: OUTPUT = None,
    ) -> None:
        """Which binding the hash of the key chooses."""
        from routesim.cli.handlers.explaining import answered
        from routesim.cli.shared.refusing import rules_of
        from routesim.explain.routes.types import explain_hash

        answered(lambda: explain_hash(kind, key, bindings or [], rules_of(rabbitmq)), format, output)


def _other(kind: str, line: str) -> None:
    @_command(kind, hidden=True, help=line, epilog=examples(f"routesim explain {kind} order42 a.b '#'"))
    def other(
        key: KEY, patterns: PATTERNS = None, rabbitmq: NEWEST_RABBITMQ = None, format: ANSWER_FORMAT = None, output: OUTPUT = None
    ) -> None:
        from routesim.cli.handlers.explaining import answered
        from routesim.cli.shared.refusing import rules_of
        from routesim.explain.routes.types import explain_any

        answered(lambda: explain_any(kind, key, patterns or [], rules_of(rabbitmq)), format, output)


for _kind in ("x-consistent-hash", "x-modulus-hash"):
    _hash(_kind)
for _kind, _line in {
    "x-random": "Why one binding, and any of them, is taken.",
    "x-local-random": "Why one queue, and any of those that are near, is taken.",
    "x-recent-history": "Why every binding is taken, and what a new one gets of what was before.",
    "x-delayed-message": "How a message that waits is routed, and when.",
    "x-federation-upstream": "What federation hands on to another broker: every message.",
}.items():
    _other(_kind, _line)


@_command("route", epilog=examples(
    "routesim explain route scenarios/shoes.yaml shop ship.shoes",
    "routesim explain route definitions.json orders eu.new --expect-queue jobs",
    "routesim explain route definitions.json jobs",
))  # fmt: skip
def route(
    file: FILE,
    where: Annotated[
        str | None, Positional(metavar="[EXCHANGE]", help="Where it is published. Default: the default exchange.")
    ] = None,
    key: Annotated[str | None, Positional(metavar="[KEY]", help="The routing key; what stands alone is the key.")] = None,
    exchange: Annotated[
        str | None, Option("--exchange", "-e", metavar="NAME", help="The exchange, where it does not stand before the key.")
    ] = None,
    key_option: Annotated[str | None, Option("--key", "-k", metavar="KEY", help="The key, likewise.")] = None,
    header: HEADERS = None,
    expect_queue: Annotated[
        list[str] | None,
        Option("--expect-queue", metavar="QUEUE", help="Status 1 unless exactly these queues are reached. Repeatable."),
    ] = None,
    expect_nothing: Annotated[bool, Option("--expect-nothing", help="Status 1 if any queue is reached.")] = False,
    rabbitmq: RABBITMQ = None,
    vhost: VHOST = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """The whole way of a message through a topology, hits and misses, and what can become of it later."""
    from routesim.cli.handlers.explaining import answered, table_of
    from routesim.cli.shared.exits import UsageError
    from routesim.cli.shared.refusing import scenario_of
    from routesim.explain.routes.route import explain_route

    words = [word for word in (where, key) if word is not None]
    if len(words) == 2 and (exchange is not None or key_option is not None):
        raise UsageError(f"'{words[0]}' and '{words[1]}' are exchange and key already; leave out --exchange and --key")
    if exchange is None and (len(words) == 2 or (words and key_option is not None)):
        exchange = words.pop(0)
    if words and key_option is not None:
        raise UsageError(f"the key is given twice: '{words[0]}' and --key {key_option}")
    chosen = words[0] if words else key_option or ""
    if expect_queue and expect_nothing:
        raise UsageError("--expect-queue and --expect-nothing contradict each other")
    expected = frozenset(expect_queue or ()) if expect_queue or expect_nothing else None
    answered(
        lambda: explain_route(
            scenario_of(file, rabbitmq, vhost=vhost),
            exchange or "",
            chosen,
            table_of(header or []) or None,
            expected,
            asked_once=True,
        ),
        format,
        output,
        (file,),
    )


@_command("message", epilog=examples("routesim explain message scenarios/shoes.yaml m3"))
def message(
    file: FILE,
    id: Annotated[str, Positional(metavar="ID", help="The message's id.")],
    rabbitmq: RABBITMQ = None,
    vhost: VHOST = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """The life of one message in a run, with the cause at every turn."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.refusing import scenario_of
    from routesim.explain.message import explain_message

    answered(lambda: explain_message(scenario_of(file, rabbitmq, vhost=vhost, redis=True), id), format, output, (file,))


@_command("task", epilog=examples("routesim explain task scenarios/introduction/five-ways-to-lose.yaml early"))
def task(
    file: FILE,
    id: Annotated[str, Positional(metavar="ID", help="The task's id.")],
    rabbitmq: RABBITMQ = None,
    vhost: VHOST = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """What became of a task: sent, routed, run, acknowledged, killed, sent anew."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.refusing import scenario_of
    from routesim.explain.tasks.task import explain_task

    answered(lambda: explain_task(scenario_of(file, rabbitmq, vhost=vhost, redis=True), id), format, output, (file,))


@_command("queue", epilog=examples("routesim explain queue scenarios/shoes.yaml warehouse"))
def queue(
    file: FILE,
    name: Annotated[str, Positional(metavar="NAME", help="The queue's name.")],
    rabbitmq: RABBITMQ = None,
    vhost: VHOST = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """What can reach a queue, its settings and who won, where its messages go, its contents over time."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.refusing import scenario_of
    from routesim.explain.queues.queue import explain_queue

    answered(lambda: explain_queue(scenario_of(file, rabbitmq, vhost=vhost, redis=True), name), format, output, (file,))


@_command("error", epilog=examples("routesim explain error unknown-queue", "routesim explain error 406"))
def error(
    code: Annotated[str, Positional(metavar="CODE", help="routesim's own, or AMQP's number or name.")],
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """What an error means, an example, and the cure."""
    from routesim.cli.handlers.explaining import answered
    from routesim.explain.pages.codes import explain_error

    answered(lambda: explain_error(code), format, output)


COMMAND = CliCommand(GROUP, "")
