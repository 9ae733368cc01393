"""`routesim schema`: the JSON Schema of scenarios, and of definitions files."""

from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import NEWEST_RABBITMQ, WRITTEN
from routesim.cli.shared.parameters import Positional

KINDS = ("scenario", "definitions")
EXAMPLES = examples(
    "routesim schema --output routesim.schema.json",
    "routesim schema definitions --rabbitmq 4.0 --output definitions.schema.json",
)


def schema(
    kind: Annotated[str, Positional(metavar="[KIND]", help="scenario or definitions.", show_default=False)] = "scenario",
    rabbitmq: NEWEST_RABBITMQ = None,
    output: WRITTEN = None,
) -> None:
    """Print a JSON Schema, by which an editor completes and checks: of scenarios, or of RabbitMQ's definitions files.

    As the first line of a scenario, `# yaml-language-server: $schema=routesim.schema.json` tells the editor where it lies.
    """
    from routesim.cli.handlers.converting import write
    from routesim.cli.shared.exits import UsageError
    from routesim.cli.shared.options import choice, written_as
    from routesim.cli.shared.refusing import rules_of

    choice("KIND", kind, KINDS)
    written_as("a JSON Schema", output, ".json")
    if kind == "scenario":
        from routesim.scenario.schema import text

        if rabbitmq is not None:
            raise UsageError("--rabbitmq belongs to the schema of definitions: a scenario's is of all versions")
        write(lambda out: text().splitlines(), None, output)
        return
    from routesim.scenario.definitions.definitions_schema import lines_of_schema
    from routesim.versions import NEWEST

    version = rules_of(rabbitmq).version if rabbitmq is not None else NEWEST
    write(lambda out: lines_of_schema(version), None, output)


COMMAND = CliCommand(schema, EXAMPLES)
