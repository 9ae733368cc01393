"""`routesim new`: a first scenario to change."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim new --list",
    "routesim new shop --template topics && routesim run shop",
    "routesim new - --template retry | routesim run -",
)


def new(
    name: Annotated[
        str | None,
        Positional(metavar="[NAME]", help="The file; .scenario.yaml is added where it has no ending; - is stdout."),
    ] = None,
    template: Annotated[
        str | None, Option("--template", "-t", metavar="NAME", help="Which pattern. Default: work-queue.")
    ] = None,
    list: Annotated[bool, Option("--list", "-l", help="Say which templates there are.")] = False,
    force: Annotated[bool, Option("--force", help="Overwrite the file if there is one.")] = False,
) -> None:
    """Write a first scenario of a pattern: a work queue, publish/subscribe, retries and more."""
    from routesim.cli.handlers.creating import list_templates, write_template

    sys.exit(list_templates() if list else write_template(name, template, force=force))


COMMAND = CliCommand(new, EXAMPLES)
