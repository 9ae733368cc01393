"""`routesim versions` and `routesim upgrade`: what differs between RabbitMQ's versions."""

from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import ANSWER_FORMAT, EVERY_VHOST, FILE, OUTPUT
from routesim.cli.shared.parameters import Option

BETWEEN = Annotated[str | None, Option("--rabbitmq", metavar="FROM..TO", help="Between which versions, such as 3.13..4.3.")]
FROM = Annotated[str | None, Option("--from", metavar="VERSION", help="The version before.", hidden=True)]
TO = Annotated[str | None, Option("--to", metavar="VERSION", help="The version after.", hidden=True)]


def versions(
    between: BETWEEN = None, old: FROM = None, new: TO = None, format: ANSWER_FORMAT = None, output: OUTPUT = None
) -> None:
    """The versions of RabbitMQ that are known, what of each was proven live or read, and every rule that differs between them."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.handlers.upgrading import versions_between
    from routesim.cli.shared.exits import UsageError
    from routesim.explain.pages.version_table import explain_versions

    old, new = versions_between(between, old, new)
    if (old is None) != (new is None):
        raise UsageError("two versions belong together: --rabbitmq 3.13..4.3")
    answered(lambda: explain_versions(old, new), format, output)


def upgrade(
    file: FILE,
    between: Annotated[
        str | None,
        Option("--rabbitmq", metavar="FROM..TO", help="Such as 3.13..4.3. Default: from the file's own version to the newest."),
    ] = None,
    old: FROM = None,
    new: TO = None,
    vhost: EVERY_VHOST = None,
    format: ANSWER_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """What is refused, runs differently or is found by check under one of two versions alone, and which rules touch the file."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.handlers.upgrading import sides, versions_between
    from routesim.explain.upgrade import explain_upgrade

    old, new = versions_between(between, old, new)
    answered(lambda: explain_upgrade(sides(file, old, new, vhost)), format, output, (file,))


VERSIONS = CliCommand(versions, examples("routesim versions", "routesim versions --rabbitmq 3.13..4.3"))
UPGRADE = CliCommand(
    upgrade,
    examples(
        "routesim upgrade scenarios/upgrade-delivery-limit.yaml --rabbitmq 3.13..4.3",
        "routesim upgrade definitions.json --rabbitmq 3.13..4.3 --vhost shop",
    ),
)
