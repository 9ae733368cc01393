"""`routesim schema`: the JSON Schema of scenarios."""

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import OUTPUT

EXAMPLES = examples("routesim schema --output routesim.schema.json")


def schema(output: OUTPUT = None) -> None:
    """Print the JSON Schema of scenarios, by which an editor completes and checks them.

    As the first line of a scenario, `# yaml-language-server: $schema=routesim.schema.json` tells the editor where it lies.
    """
    from routesim.cli.handlers.converting import write
    from routesim.scenario.schema import text

    write(lambda out: text().splitlines(), None, output)


COMMAND = CliCommand(schema, EXAMPLES)
