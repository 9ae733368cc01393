"""Typer's commands and groups: made of the functions of commands and of what these declare in their signatures."""

from collections.abc import Callable
from types import FunctionType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from routesim.cli.shared.commands import COMMANDS, GROUPS, command_of
from routesim.cli.shared.parameters import Option, Parameter, parameters_of

OPTIONS: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
    "context_settings": {"help_option_names": ["--help", "-h"]},
}


class OneCommand(TyperCommand):
    """A command whose usage names what it needs without brackets around it."""

    def collect_usage_pieces(self, context: Any) -> list[str]:
        pieces = super().collect_usage_pieces(context)
        return [piece[1:-1] if piece.startswith("{") else piece for piece in pieces]


def add_command(app: typer.Typer, name: str, **options: Any) -> Callable[[Any], Any]:
    """A decorator that makes a function a command of `app`; the function itself stays as it is."""

    def add(function: Any) -> Any:
        app.command(name, cls=OneCommand, **options)(_as_typer_reads(function))
        return function

    return add


def add_callback(app: typer.Typer, **options: Any) -> Callable[[Any], Any]:
    """Likewise what `app` does before its commands, whose options stand before theirs."""

    def add(function: Any) -> Any:
        app.callback(**options)(_as_typer_reads(function))
        return function

    return add


def _as_typer_reads(function: Any) -> Any:
    """The function with typer's declarations in place of ours."""
    made = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    made.__doc__ = function.__doc__
    made.__annotations__ = {each.name: _annotation(each) for each in parameters_of(function)}
    return made


def _annotation(parameter: Parameter) -> Any:
    declared = parameter.declared
    if declared is None:
        return parameter.type
    if isinstance(declared, Option):
        return Annotated[parameter.type, typer.Option(*declared.names, **declared.told)]
    return Annotated[parameter.type, typer.Argument(**declared.told)]


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # for "did you mean"

    def list_commands(self, context: Any) -> list[str]:
        return list(COMMANDS)

    def resolve_command(self, context: Any, args: list[str]) -> Any:
        """A command of two words is known by both: `import celery` beside `import FILE`."""
        name = " ".join(args[:2])
        if " " in name and name in COMMANDS:
            return name, self.get_command(context, name), args[2:]
        return super().resolve_command(context, args)

    def get_command(self, context: Any, name: str) -> Any:
        if name not in COMMANDS:
            return None
        command = command_of(name)
        if isinstance(command.function, typer.Typer):
            command.function.info.help = COMMANDS[name].line
            return typer.main.get_group(command.function)
        app = typer.Typer(**OPTIONS)
        add_command(app, name, epilog=command.epilogue)(command.function)
        return typer.main.get_command(app)

    def format_commands(self, context: Any, formatter: Any) -> None:
        grouped = {name for names in GROUPS.values() for name in names}
        *_, last = GROUPS
        for group, names in GROUPS.items():
            shown = names if group != last else tuple(name for name in COMMANDS if name not in grouped)
            with formatter.section(group):
                formatter.write_dl([(name, COMMANDS[name].line) for name in shown])


class Subcommands(TyperGroup):
    """A group whose list of commands cuts no sentence off."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for command in self.commands.values():
            command.short_help = command.short_help or (command.help or "").strip().split("\n")[0]

    def shown(self) -> list[str]:
        """The names of the commands that help tells of; old spellings of others stay, and are hidden."""
        return [name for name in self.list_commands(None) if not self.commands[name].hidden]  # type: ignore[arg-type]


GROUP_OPTIONS: dict[str, Any] = {"cls": Subcommands, "no_args_is_help": False, **OPTIONS}
