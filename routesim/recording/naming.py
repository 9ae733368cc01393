"""What connections and channels are called in a recording: as in the trace; but one that its client gave no name is called by its
program and a number instead of its port, so that the same client makes the same file.
"""

import re
from collections import Counter
from typing import Any

from routesim import steps
from routesim.model import REPLY_TO
from routesim.steps import Step

UNNAMED = re.compile(r"([a-z][\w.-]*):\d{2,5}( \(\d+\))?")  # as `serve.handshake` calls it
ADDRESS = f"{REPLY_TO}."  # of direct reply-to: the channel's name follows


class Naming:
    def __init__(self) -> None:
        self.connections: dict[str, str] = {}
        self.channels: dict[str, str] = {}
        self.programs: Counter[str] = Counter()

    def connection(self, name: str) -> str:
        known = self.connections.get(name)
        if known is None:
            unnamed = UNNAMED.fullmatch(name)
            if unnamed is not None:
                self.programs[unnamed[1]] += 1
            known = name if unnamed is None else f"{unnamed[1]}-{self.programs[unnamed[1]]}"
            self.connections[name] = known
        return known

    def channel(self, name: str) -> str:
        return self.channels.get(name, name)

    def after_connection(self, name: str) -> str:
        """A message or a consumer that is called by its connection and what follows that."""
        connection, slash, rest = name.partition("/")
        known = self.connections.get(connection)
        return name if known is None or not slash else f"{known}/{rest}"

    def address(self, name: str) -> str:
        """A routing key or a queue, which may be an address of direct reply-to."""
        if not name.startswith(ADDRESS):
            return name
        channel, dot, number = name.removeprefix(ADDRESS).rpartition(".")
        return f"{ADDRESS}{self.channel(channel)}{dot}{number}"

    def step(self, step: Step) -> Step:
        """The step, with the channel and the connection that it names as they are called here."""
        if isinstance(step, steps.OpenChannel):
            connection = self.connection(step.connection)
            self.channels[step.channel] = f"{connection}{step.channel.removeprefix(step.connection)}"
        changed: dict[str, Any] = {}
        given: Any = step
        for field, called in (("connection", self.connection), ("channel", self.channel), ("queue", self.address)):
            if isinstance(getattr(step, field, None), str):
                changed[field] = called(getattr(given, field))
        if isinstance(step, steps.Close) and step.fault_of is not None:
            changed["fault_of"] = self.channels.get(step.fault_of)  # one that was never opened ends nothing
        return given._replace(**changed) if changed else step
