"""Groups of commands below a command."""

from typing import Any

from typer.core import TyperGroup

from routesim.cli.shared.commands import OPTIONS as COMMON


class Subcommands(TyperGroup):
    """A group whose list of commands cuts no sentence off."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for command in self.commands.values():
            command.short_help = command.short_help or (command.help or "").strip().split("\n")[0]

    def shown(self) -> list[str]:
        """The names of the commands that help tells of; old spellings of others stay, and are hidden."""
        return [name for name in self.list_commands(None) if not self.commands[name].hidden]  # type: ignore[arg-type]


OPTIONS: dict[str, Any] = {"cls": Subcommands, "no_args_is_help": False, **COMMON}
