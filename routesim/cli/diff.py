"""`routesim diff`: two topologies, compared by what they do."""

from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import DIFF_FORMAT, EVERY_VHOST, OUTPUT
from routesim.cli.shared.parameters import Positional

EXAMPLES = examples(
    "routesim diff exported-before.json exported-after.json",
    "routesim diff old.yaml new.yaml --format json | jq .same",
    "routesim diff main.json branch.json --format github",
)


def diff(
    old: Annotated[str, Positional(metavar="OLD", help="A scenario or definitions file.")],
    new: Annotated[str, Positional(metavar="NEW", help="Another one; - is stdin, once.")],
    vhost: EVERY_VHOST = None,
    format: DIFF_FORMAT = None,
    output: OUTPUT = None,
) -> None:
    """Which messages reach other queues than before, what cannot be redeclared in place, what is lost."""
    from routesim.cli.handlers.diffing import pairs
    from routesim.cli.handlers.explaining import answered
    from routesim.diff import explain_diff
    from routesim.report.formats import DIFF

    answered(lambda: explain_diff(pairs(old, new, vhost)), format, output, (old, new), DIFF)


COMMAND = CliCommand(diff, EXAMPLES)
