"""A group of commands that is asked for words as well: `explain ack` prints what the documentation says of it."""

import sys
from typing import Any

import typer

from routesim.cli.shared.groups import OPTIONS, Subcommands, add_command
from routesim.cli.shared.help import examples


class WithWords(Subcommands):
    """A word that is a command too is asked for where it stands alone and the command needs more."""

    FIRST = ("route", "message", "queue", "task", "error", "exchange")  # what is asked most

    def list_commands(self, context: Any) -> list[str]:
        return sorted(self.commands, key=lambda name: self.FIRST.index(name) if name in self.FIRST else len(self.FIRST))

    def resolve_command(self, context: Any, args: list[str]) -> Any:
        if len(args) == 1 and args[0] in self.commands:
            return args[0], self.alone(args[0]), []
        return super().resolve_command(context, args)

    def alone(self, name: str) -> Any:
        """What one word asks for, with nothing behind it."""
        command = self.get_command(None, name)
        if any(parameter.required for parameter in command.params) and (place := place_of(name)):
            return _of_word(name, place)
        return command

    def get_command(self, context: Any, name: str) -> Any:
        found = super().get_command(context, name)
        if found is None and not name.startswith("-") and (place := place_of(name)):
            return _of_word(name, place)
        return found

    def words(self) -> list[str]:
        from routesim.explain.pages import documents

        return [word for word in documents.words() if word not in self.commands]


def place_of(word: str) -> str | None:
    """Where the documentation says what the word means; None: it is none of its words."""
    from routesim.explain.pages import documents

    return documents.place_of_word(word)


def _of_word(word: str, place: str) -> Any:
    app = typer.Typer(**OPTIONS)

    @add_command(app, word, epilog=examples(f"routesim explain {word}"))
    def say() -> None:
        """What this word means, with a scenario that shows it."""
        from routesim.cli.handlers.reading_docs import read

        sys.exit(read(place))

    return typer.main.get_command(app)
