"""`routesim import`: a broker's definitions, or the file in which another program keeps a topology, becomes a scenario."""

import sys
from typing import Annotated

from routesim.cli.shared.help import CliCommand, examples
from routesim.cli.shared.options import RABBITMQ, VHOST, WRITTEN, written_as
from routesim.cli.shared.parameters import Option, Positional

EXAMPLES = examples(
    "routesim import definitions.json",
    "routesim import definitions.json --vhost shop --output shop.yaml",
    "rabbitmqctl export_definitions - | routesim import -",
    "routesim import cluster.json --vhost shop --format definitions",
    "routesim import --management http://guest:guest@localhost:15672 --vhost shop",
    "routesim import topology-operator k8s/",
    "terraform show -json | routesim import terraform -",
    "routesim import celery proj.app:app",
)


def import_(
    files: Annotated[
        list[str] | None,
        Positional(
            metavar="[KIND] [FILE]...",
            help="A definitions file of RabbitMQ, or files of another KIND: topology-operator, symfony, old-sound, terraform,"
            " rascal, asyncapi. - is stdin.",
        ),
    ] = None,
    vhost: VHOST = None,
    format: Annotated[
        str, Option("--format", "-f", metavar="FORMAT", help="scenario (default), or definitions: that vhost alone.")
    ] = "scenario",
    output: WRITTEN = None,
    management: Annotated[
        str | None, Option("--management", metavar="URL", help="Ask this running broker's HTTP API instead of a file.")
    ] = None,
    rabbitmq: RABBITMQ = None,
) -> None:
    """Turn a broker's definitions, or another program's topology, into a scenario that says what was left out, and why."""
    from routesim.cli.handlers.converting import import_broker
    from routesim.cli.importers.importing_files import import_words
    from routesim.cli.shared.exits import UsageError
    from routesim.cli.shared.output import same_file

    if format == "scenario" and not any(same_file(file, output) for file in files or ()):  # which is told as what it is
        written_as("a scenario in YAML, or with `--format definitions` JSON,", output, ".yaml")
    if (not files) == (management is None):
        raise UsageError("give either files or --management URL")
    if files:
        sys.exit(import_words(files, vhost, format, output, rabbitmq))
    sys.exit(import_broker(str(management), vhost, format, output, rabbitmq))


COMMAND = CliCommand(import_, EXAMPLES)
