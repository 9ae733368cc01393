"""`routesim export`: a scenario's topology becomes a definitions file, or objects for Kubernetes."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import RABBITMQ, WRITTEN, written_as
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim export shop.yaml",
    "routesim export shop.yaml --rabbitmq 3.13 --vhost staging -o staging.json",
    "routesim export shop.yaml > d.json && rabbitmqctl import_definitions d.json",
    "routesim export shop.yaml -f topology-operator | kubectl apply -f -",
)


def export(
    file: Annotated[str, Positional(metavar="SCENARIO", help="A scenario or definitions file; - is stdin.")],
    output: WRITTEN = None,
    vhost: Annotated[str | None, Option("--vhost", metavar="NAME", help="Instead of the scenario's own vhost.")] = None,
    format: Annotated[
        str,
        Option("--format", "-f", metavar="FORMAT", help="definitions (default), or topology-operator: objects for Kubernetes."),
    ] = "definitions",
    cluster: Annotated[
        str | None,
        Option("--cluster", metavar="NAME", help="The RabbitmqCluster that the objects are for. Default: rabbitmq."),
    ] = None,
    rabbitmq: RABBITMQ = None,
) -> None:
    """Turn a scenario's topology into a definitions file for a broker, and tell what such a file cannot carry."""
    from routesim.cli.handlers.converting import export_file

    if format == "definitions":
        written_as("a definitions file in JSON", output, ".json")
    else:
        written_as("YAML for Kubernetes", output, ".yaml")
    sys.exit(export_file(file, output, vhost, rabbitmq, format, cluster))


COMMAND = CliCommand(export, EXAMPLES)
