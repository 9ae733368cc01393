"""Typer's commands and groups: made of the functions of commands and of what these declare in their signatures."""

from collections.abc import Callable
from types import FunctionType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from routesim.cli.shared.commands import COMMANDS, GROUPS, command_of
from routesim.cli.shared.help import CliGroup
from routesim.cli.shared.parameters import Option, Parameter, parameters_of

OPTIONS: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
    "context_settings": {"help_option_names": ["--help", "-h"]},
}


class OneCommand(TyperCommand):
    """A command whose help names what it takes as its declarations do: without the brackets, dots and types that typer's versions
    add, each in its own way."""

    def collect_usage_pieces(self, context: Any) -> list[str]:
        return ["[OPTIONS]", *(_argument(each) for each in self.params if each.param_type_name == "argument")]

    def format_options(self, context: Any, formatter: Any) -> None:
        arguments, options = [], []
        for each in self.get_params(context):
            record = each.get_help_record(context)
            if record is not None and each.param_type_name == "argument":
                arguments.append((_argument(each), record[1]))
            elif record is not None:
                options.append(record)
        for title, records in (("Arguments", arguments), ("Options", options)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def declared(self, name: str) -> Parameter | None:
        """A parameter as the command's function declares it."""
        found: dict[str, Parameter] = self.callback.declared  # type: ignore[union-attr]
        return found.get(name)


def _argument(parameter: Any) -> str:
    """An argument as help names it: in brackets where it may be missing."""
    name = str(parameter.metavar)
    return name if parameter.required or name[0] == "[" else f"[{name}]"


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
    parameters = {each.name: each for each in parameters_of(function)}
    made.__annotations__ = {name: _annotation(each) for name, each in parameters.items()}
    made.declared = parameters  # type: ignore[attr-defined]  # what wraps it has that too
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
        group = command.function
        if isinstance(group, CliGroup):
            kind = group.kind() if group.kind is not None else Subcommands
            app = typer.Typer(help=COMMANDS[name].line, epilog=group.epilogue, cls=kind, no_args_is_help=False, **OPTIONS)
            for subname, each in group.commands.items():
                add_command(app, subname, **each.told)(each.function)
            return typer.main.get_group(app)
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

    def format_commands(self, context: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.commands[name].short_help) for name in self.shown()])
