"""What the program says by itself, where no command is asked for: its version, and what one may want of it."""

from routesim import __version__
from routesim.cli.shared.commands import COMMANDS
from routesim.cli.shared.exits import OK, UNUSABLE
from routesim.cli.shared.output import opened

SAID = "Where each message goes in RabbitMQ, why, and why not elsewhere."
# What one may want, and what to type then.
BY_INTENT = (
    ("learn", "routesim run hello"),
    ("try your own", "routesim new shop && routesim run shop"),
    ("test in CI", "routesim check definitions.json && routesim run . -q"),
    ("upgrade RabbitMQ", "routesim upgrade definitions.json --rabbitmq 3.13..4.3"),
    ("find a lost task", "routesim import celery proj; routesim explain task FILE ID"),
)


def said(arguments: list[str]) -> int | None:
    """The exit status; None: something else is asked for."""
    options = []
    for word in arguments:
        if word not in ("--debug", "--version"):
            break
        options.append(word)
    behind = arguments[len(options) :]
    if "--version" in options and (not behind or behind[0] in COMMANDS):
        lines, status = [f"routesim {__version__}"], OK
    elif not behind:
        wants = [f"  {want:<18}{commands}" for want, commands in BY_INTENT]
        lines, status = [SAID, "", "To …", "", *wants, "", "routesim --help lists all commands."], UNUSABLE
    else:
        return None
    with opened(None) as out:
        out.writelines(f"{line}\n" for line in lines)
    return status
