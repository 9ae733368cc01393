"""`routesim serve advance`, `fail`, `snapshot`, `restore`, `why`: what is asked of a server that runs."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.parameters import Option, Positional
from routesim.failure_kinds import OPTIONS

WHERE = "http://127.0.0.1:15672/?token=TOKEN"
SERVER = Annotated[
    str,
    Option(
        "--server", metavar="URL", envvar="ROUTESIM_SERVER", show_envvar=False,
        help="As the server said it when it began: http://HOST:PORT/?token=TOKEN. Default: $ROUTESIM_SERVER.",
    ),
]  # fmt: skip
VHOST = Annotated[str | None, Option("--vhost", metavar="NAME", help="Which one. Default: the only one.")]
NAME = Annotated[str, Positional(metavar="NAME", help="Of the snapshot.")]


def advance(
    time: Annotated[str, Positional(metavar="TIME", help="Such as 250ms, 5s or 1d.")],
    server: SERVER = "",
) -> None:
    """Let time pass at once in a server that runs: TTLs, delays and timeouts that fall due meanwhile happen, in their order."""
    from routesim.cli.handlers.servers.asking_servers import asked, told

    sys.exit(told(lambda: asked(server).advance(time)))


def fail(
    failure: Annotated[str, Positional(metavar="FAILURE", help="Such as crash, slow or full: `routesim docs failures`.")],
    target: Annotated[
        str | None, Positional(metavar="TARGET", help="The connection, channel, consumer or queue; '*' is all of them.")
    ] = None,
    server: SERVER = "",
    vhost: Annotated[str | None, Option("--vhost", metavar="NAME", help="Where. Default: anywhere.")] = None,
    ends: Annotated[bool, Option("--ends", help="What lasts is over.")] = False,
    after: Annotated[int | None, Option("--after", metavar="N", help=OPTIONS["after"] + ".")] = None,
    at_ack: Annotated[int | None, Option("--at-ack", metavar="N", help=OPTIONS["at_ack"] + ".")] = None,
    code: Annotated[int | None, Option("--code", metavar="N", help=OPTIONS["code"] + ".")] = None,
    text: Annotated[str | None, Option("--text", metavar="TEXT", help=OPTIONS["text"] + ".")] = None,
    by: Annotated[str | None, Option("--by", metavar="TIME", help=OPTIONS["by"] + ".")] = None,
    overflow: Annotated[str | None, Option("--overflow", metavar="HOW", help=OPTIONS["overflow"] + ".")] = None,
) -> None:
    """Let something go wrong in a server that runs: a connection that is lost, a queue that is full, a slow network."""
    from routesim.cli.handlers.servers.asking_servers import asked, told

    options = {"after": after, "at_ack": at_ack, "code": code, "text": text, "by": by, "overflow": overflow}
    sys.exit(told(lambda: asked(server).fail(failure.replace("-", "_"), target, vhost, options, ends=ends)))


def snapshot(name: NAME, server: SERVER = "", vhost: VHOST = None) -> None:
    """Remember how all is in a server that runs, under a name."""
    from routesim.cli.handlers.servers.asking_servers import asked, told

    sys.exit(told(lambda: asked(server).snapshot(vhost, name)))


def restore(name: NAME, server: SERVER = "", vhost: VHOST = None) -> None:
    """All is as it was when the snapshot was taken; clients lose their connections."""
    from routesim.cli.handlers.servers.asking_servers import asked, told

    sys.exit(told(lambda: asked(server).restore(vhost, name)))


def why(
    message: Annotated[str, Positional(metavar="MESSAGE", help="Its message_id, or connection and number: app/3.")],
    server: SERVER = "",
    vhost: VHOST = None,
) -> None:
    """What became of a message in a server that runs, and why."""
    from routesim.cli.handlers.servers.asking_servers import asked, told

    sys.exit(told(lambda: asked(server).why(vhost, message)))


ADVANCE = CliCommand(advance, examples(f"routesim serve advance 1d --server {WHERE}"))
FAIL = CliCommand(
    fail,
    examples(
        "routesim serve fail crash worker --after 3",
        "routesim serve fail full orders",
        "routesim serve fail slow '*' --by 200ms",
        "routesim serve fail slow '*' --ends",
        "routesim serve fail kill",
    ),
)  # fmt: skip
SNAPSHOT = CliCommand(snapshot, examples("routesim serve snapshot clean"))
RESTORE = CliCommand(restore, examples("routesim serve restore clean"))
WHY = CliCommand(why, examples("routesim serve why order-17"))
