"""What a library asks of its channel, written down instead of sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from routesim.celery_app.child.answering import CannotLoad, caller
from routesim.celery_app.child.plain_values import MADE_UP, plain

SERVER_NAMED = "(server-named)"  # what a library gets to know of a queue whose name the broker makes up
NAMES_OF_THE_BROKER = re.compile(r"amq\.")


class DeclarationLog:
    """What a library asks of its channel. `vhost`: of the address that it would have connected to."""

    def __init__(self) -> None:
        self.things: list[dict[str, Any]] = []
        self.consumed: list[str] = []
        self.vhost: str | None = None
        self.notes: list[str] = []
        self.runs = False

    def exchange(self, name: str, kind: Any, options: Mapping[str, Any], *, passive: bool) -> None:
        if not name or NAMES_OF_THE_BROKER.match(name):
            return
        if passive:
            self.note(f"exchange {name}: it is expected to be there, and not declared")
            return
        self.things.append(
            {"what": "exchange", "name": name, "type": str(getattr(kind, "value", kind) or "direct"), **self.options(options)}
        )

    def queue(self, name: str, options: Mapping[str, Any], *, passive: bool) -> None:
        if name == SERVER_NAMED:
            self.note("a queue without a name: the broker makes one up")
        elif MADE_UP.search(name):
            self.note(f"a queue whose name each process makes up ({MADE_UP.sub('…', name)})")
        elif NAMES_OF_THE_BROKER.match(name):
            return
        elif passive:
            self.note(f"queue {name}: it is expected to be there, and not declared")
        else:
            self.things.append({"what": "queue", "name": name, **self.options(options)})

    def options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        flags = {
            key: bool(options[key]) for key in ("durable", "exclusive", "auto_delete", "internal") if options.get(key) is not None
        }
        return {**flags, "arguments": self.arguments(options.get("arguments"))}

    def bind(self, source: str, destination: str, kind: str, key: Any, arguments: Any) -> None:
        if source and destination != SERVER_NAMED and not MADE_UP.search(destination):
            self.things.append(
                {
                    "what": "binding", "source": source, "destination": destination, "destination_type": kind,
                    "routing_key": str(key or ""), "arguments": self.arguments(arguments),
                }
            )  # fmt: skip

    def arguments(self, arguments: Any) -> dict[str, Any]:
        found = {str(key): plain(value) for key, value in dict(arguments or {}).items()}
        for key in [key for key, value in found.items() if value is None]:
            self.note(f"argument {key}: a value that cannot be written down")
            del found[key]
        return found

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def refuse_unless_it_runs(self) -> None:
        if not self.runs:
            raise CannotLoad({"error": "connects", "place": caller()})
