"""`routesim versions` and `routesim upgrade`: what differs between RabbitMQ's versions."""

from typing import Annotated

import typer

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import ANSWER_FORMAT, FILE

FROM = Annotated[str | None, typer.Option("--from", metavar="VERSION", help="The version before.")]
TO = Annotated[str | None, typer.Option("--to", metavar="VERSION", help="The version after.")]


def versions(old: FROM = None, new: TO = None, format: ANSWER_FORMAT = None) -> None:
    """The versions of RabbitMQ that are known, and every rule that differs between them."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.exits import UsageError
    from routesim.cli.shared.refusing import rules_of
    from routesim.explain.pages.version_table import explain_versions

    if (old is None) != (new is None):
        raise UsageError("--from and --to belong together")
    for version in (old, new):
        rules_of(version)
    answered(lambda: explain_versions(old, new), format)


def upgrade(
    file: FILE,
    old: Annotated[str | None, typer.Option("--from", metavar="VERSION", help="Default: the scenario's own version.")] = None,
    new: TO = None,
    format: ANSWER_FORMAT = None,
) -> None:
    """Run a scenario under two versions and print only what behaves differently and what would be refused."""
    from routesim.cli.handlers.explaining import answered
    from routesim.cli.shared.refusing import scenario_of
    from routesim.explain.upgrade import explain_upgrade
    from routesim.versions import NEWEST

    answered(
        lambda: explain_upgrade(scenario_of(file, old, lenient=True), scenario_of(file, new or NEWEST, lenient=True)), format
    )


VERSIONS = CliCommand(versions, examples("routesim versions", "routesim versions --from 3.13 --to 4.3"))
UPGRADE = CliCommand(upgrade, examples("routesim upgrade scenarios/upgrade-delivery-limit.yaml --from 3.13 --to 4.3"))
