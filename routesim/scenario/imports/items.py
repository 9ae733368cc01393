"""A value in another program's file: read as text, a flag or a table, and where it stands told when it is none."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from routesim.diagnostics import did_you_mean
from routesim.scenario.imports.documents import Document
from routesim.scenario.imports.notes import Notes
from routesim.scenario.yaml.nodes import DEEPEST
from routesim.scenario.yaml.templates import MARK, told
from routesim.values import INTEGER_RANGES, Typed, Value

LONGEST_NAME = 255  # bytes of a short string


class Item:
    """`value` None: nothing stands there. What is wrong with it goes to the `notes`."""

    def __init__(self, notes: Notes, document: Document, value: Any, path: tuple[str | int, ...] | None = None) -> None:
        self.notes = notes
        self.document = document
        self.value = value
        self.path = document.path if path is None else path

    def get(self, *keys: str | int) -> "Item":
        """What stands below these keys; where there is nothing, an item of None at the last place there is."""
        value, path = self.value, self.path
        for key in keys:
            inside = isinstance(value, dict) if isinstance(key, str) else isinstance(value, list) and key < len(value)
            value = value.get(key) if inside and isinstance(key, str) else value[key] if inside else None
            path = (*path, key)
        return Item(self.notes, self.document, value, path)

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    # What it is ------------------------------------------------------------------------------------------------------

    def named(self) -> "Iterator[tuple[str, Item]]":
        """The entries of a mapping."""
        if self._is(dict, "a mapping: `name: …`"):
            yield from ((key, self.get(key)) for key in self.value)

    def listed(self) -> "Iterator[Item]":
        """The items of a list."""
        if self._is(list, "a list"):
            yield from (self.get(index) for index in range(len(self.value)))

    def _is(self, kind: type, words: str) -> bool:
        if self.value is not None and not isinstance(self.value, kind):
            self.error("wrong-type", f"{self.called()} must be {words}")
        return isinstance(self.value, kind)

    def text(self, key: str, default: str | None = None) -> str | None:
        """The text of a key; `default` where there is none, or none that is of use, which is noted."""
        item = self.get(key)
        if item.value is None:
            return default
        text = item.own_text()
        return default if text is None else text

    def own_text(self) -> str | None:
        """The value as text that AMQP can carry as a name; None where it is none, which is noted."""
        value = self.value
        if not isinstance(value, str):
            self.error("wrong-type", f"{self.called()} must be text", "write it in quotes" if _is_scalar(value) else "")
        elif MARK.search(value):
            self.error("template", f"in {self.called()}: {told(value)[0]}", told(value)[1])
        elif len(value.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
            self.error("too-long", f"{self.called()} is longer than {LONGEST_NAME} bytes")
        else:
            self.is_open("it is kept as it is written")
            return value
        return None

    def is_open(self, follows: str) -> bool:
        """Whether the value is only known when the program runs, which is told with what follows from it here."""
        mark = self.notes.open_in(self.value)
        if mark is not None:
            self.leave_out(f"{self.called()} has {mark}, which is only known when the program runs: {follows}", matters=True)
        return mark is not None

    def name(self, key: str = "name") -> str | None:
        """The text of a key that must be there."""
        if self.get(key).value is None:
            self.error("missing-key", f"{self.called()} needs '{key}'")
        return self.text(key)

    def flag(self, key: str, default: bool) -> bool:
        item = self.get(key)
        if item.value is None or isinstance(item.value, bool):
            return default if item.value is None else item.value
        if not item.is_open(f"it is taken to be {str(default).lower()}"):
            item.error("wrong-type", f"'{key}' must be true or false")
        return default

    def number(self, key: str, default: float) -> float:
        item = self.get(key)
        if item.value is None or _is_number(item.value):
            return default if item.value is None else item.value
        if not item.is_open(f"it is taken to be {default:g}"):
            item.error("wrong-type", f"'{key}' must be a number")
        return default

    def table(self, key: str = "arguments", *, wide: bool = False) -> dict[str, Value]:
        """Arguments. `wide`: an integer is a `long`, as the management API makes of it."""
        item = self.get(key)
        return {
            str(name): inner.argument(wide=wide) for name, inner in item.named() if not inner.is_open("this argument is left out")
        }

    def argument(self, *, wide: bool = False) -> Value:
        value = self.value
        if len(self.path) > DEEPEST:
            self.error("too-deep", f"more than {DEEPEST} levels of nesting")
        elif isinstance(value, dict):
            return {str(name): inner.argument(wide=wide) for name, inner in self.named()}
        elif isinstance(value, list):
            return [inner.argument(wide=wide) for inner in self.listed()]
        elif value is None:
            self.error("wrong-value", f"nothing is given for {self.called()}")
        elif isinstance(value, float) and not math.isfinite(value):
            self.error("wrong-value", "AMQP carries finite numbers only")
        elif isinstance(value, int) and not isinstance(value, bool):
            low, high = INTEGER_RANGES["long"]
            if not low <= value <= high:
                self.error("wrong-value", "AMQP has no integers beyond 64 bits")
            else:
                return Typed("long", value) if wide else value
        elif isinstance(value, str) and MARK.search(value):
            self.error("template", f"in {self.called()}: {told(value)[0]}", told(value)[1])
        else:
            return value
        return None

    # What is said of it ----------------------------------------------------------------------------------------------

    def called(self) -> str:
        key = next((part for part in reversed(self.path) if isinstance(part, str)), None)
        return f"'{key}'" if key is not None else "the document"

    def only(self, known: Iterable[str], says: str, *, refused: bool = False) -> None:
        """Say of each key that the program does not know what it `says`, where {} is the key. `refused`: it stops there."""
        known = tuple(known)
        for key, item in self.named() if isinstance(self.value, dict) else ():
            if key not in known:
                cure = did_you_mean(key, known) or f"it knows {', '.join(known)}"
                tell = item.error if refused else item.warning
                tell("unknown-key", says.replace("{}", f"'{key}'"), cure)

    def error(self, code: str, message: str, cure: str = "") -> None:
        self.notes.note("error", code, message, self.document, self.path, cure)

    def warning(self, code: str, message: str, cure: str = "") -> None:
        self.notes.note("warning", code, message, self.document, self.path, cure)

    def leave_out(self, sentence: str, *, matters: bool = False) -> None:
        """That this is not carried over. `matters`: messages would go another way with it, so every command says it."""
        self.notes.leave_out(sentence, self.document if matters else None, self.path)

    def place(self) -> str:
        """As in `file:line`, for a sentence about another place."""
        return f"{self.document.source.file}:{self.document.place(self.path)[0]}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (int, float, bool))
