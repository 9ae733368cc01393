"""`routesim serve`: clients of any language talk to the embedded engine as to RabbitMQ."""

import sys
from importlib.util import find_spec
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import FAIL_ON_LOSS, OUTPUT, RABBITMQ
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim serve",
    "routesim serve shop.yaml --port 0 --format json",
    "routesim serve definitions.json --rabbitmq 3.13 --vhost shop",
    "routesim serve shop.yaml --play --fail-on-loss",
    "routesim serve --record shop.yaml --redact customer",
    "routesim serve --clock manual --quiet",
    "routesim serve --user app:secret --add-vhost staging",
)


def serve(
    files: Annotated[
        list[str] | None, Positional(metavar="FILE...", help="Scenarios or definitions files: what is there from the start.")
    ] = None,
    port: Annotated[int, Option("--port", min=0, max=65535, metavar="N", help="0: any that is free.")] = 5672,
    play: Annotated[bool, Option("--play", help="Consumers, workers and steps of the files act too.")] = False,
    host: Annotated[str, Option("--host", metavar="HOST", help="On which address. Others than loopback need a --user.")] = (
        "127.0.0.1"
    ),
    rabbitmq: RABBITMQ = None,
    vhost: Annotated[
        list[str] | None, Option("--vhost", metavar="NAME", help="Only this vhost of the files. Repeatable. Default: all.")
    ] = None,
    add_vhost: Annotated[
        list[str] | None, Option("--add-vhost", metavar="NAME", help="An empty vhost beside them. Repeatable.")
    ] = None,
    user: Annotated[
        list[str] | None,
        Option("--user", metavar="NAME:PASSWORD", help="Who may connect. Default: guest, from loopback. Repeatable."),
    ] = None,
    users: Annotated[
        str | None, Option("--users", metavar="FILE", help="The same, a line each: not seen in a list of processes.")
    ] = None,
    clock: Annotated[
        str, Option("--clock", metavar="CLOCK", help="real (default), or manual: `advance 5s` on stdin lets time pass.")
    ] = "real",
    speed: Annotated[int, Option("--speed", min=1, metavar="N", help="The real clock goes N times faster.")] = 1,
    history: Annotated[
        int, Option("--history", min=1, metavar="N", help="Of what has ended the last N messages are known.")
    ] = 10_000,
    record: Annotated[
        str | None, Option("--record", metavar="FILE", help="Write what the clients did as a scenario, at the end.")
    ] = None,
    bodies: Annotated[bool, Option("--bodies", help="With --record: bodies too, not their sizes alone.")] = False,
    redact: Annotated[
        list[str] | None,
        Option("--redact", metavar="NAME", help="With --record: a header or property without its values. Repeatable."),
    ] = None,
    force: Annotated[bool, Option("--force", help="With --record: overwrite the file if there is one.")] = False,
    tls_cert: Annotated[str | None, Option("--tls-cert", metavar="FILE", help="Speak TLS, with this certificate.")] = None,
    tls_key: Annotated[str | None, Option("--tls-key", metavar="FILE", help="Its key, where it is not in that file.")] = None,
    management_port: Annotated[
        int | None,
        Option(
            "--management-port",
            min=0,
            max=65535,
            metavar="N",
            help="Of the management API and routesim's own. Default: 10000 above AMQP's, 0 with --port 0.",
        ),
    ] = None,
    no_management: Annotated[bool, Option("--no-management", help="AMQP alone.")] = False,
    failures: Annotated[
        str | None, Option("--failures", metavar="FILE", help="A plan of what goes wrong when: `routesim docs serve`.")
    ] = None,
    exit_with_parent: Annotated[
        bool, Option("--exit-with-parent", help="End when stdin does: with the process that started it.")
    ] = False,
    format: Annotated[
        str | None,
        Option("--format", "-f", metavar="FORMAT", help="table, plain, json or ndjson. Default: table, in a pipe plain."),
    ] = None,
    output: OUTPUT = None,
    quiet: Annotated[bool, Option("--quiet", "-q", help="No trace: the address, what is lost, and the end.")] = False,
    fail_on_loss: FAIL_ON_LOSS = False,
) -> None:
    """Be a RabbitMQ of any version for real clients, and say what becomes of each of their messages."""
    from routesim.cli.shared.exits import NO_VERDICT
    from routesim.cli.shared.output import stderr_line

    missing = [name for name in ("pamqp", *(() if no_management else ("h11",))) if find_spec(name) is None]
    if missing:
        stderr_line(f"error: `routesim serve` needs {' and '.join(missing)}: pip install {' '.join(missing)}")
        sys.exit(NO_VERDICT)
    from routesim.cli.handlers.servers.serving import serve_files
    from routesim.cli.handlers.servers.serving_inputs import RecordOptions, ServeOptions

    options = ServeOptions(
        tuple(files or ()), port, host, rabbitmq, tuple(vhost or ()), tuple(add_vhost or ()), tuple(user or ()), users, clock,
        speed, history, tls_cert, tls_key, format, output, quiet, fail_on_loss, play,
        management_port if management_port is not None else min(port + 10_000, 65_535) if port else 0,
        not no_management, exit_with_parent, failures, RecordOptions(record, bodies, tuple(redact or ()), force),
    )  # fmt: skip
    sys.exit(serve_files(options))


COMMAND = CliCommand(serve, EXAMPLES)
