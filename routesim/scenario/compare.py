"""The kinds of fields that hold a count, a comparison, or the ids of messages."""

import re

from routesim.comparisons import Comparison
from routesim.scenario.kinds import INTEGER, Kind, ListOf, Reader, TextKind, found, whole_number
from routesim.scenario.source import Node, Sequence, Text


class Count(Kind):
    """A whole number, or a comparison with one; read as (operator, number)."""

    def __init__(self, what: str) -> None:
        self.expects = f"{what}: a whole number, or a comparison such as '>= 2'"

    def read(self, reader: Reader, node: Node) -> Comparison:
        if isinstance(node, Text):
            if node.plain and INTEGER.fullmatch(node):
                number = whole_number(node)
                if number is not None and number >= 0:
                    return ("==", number)
            match = re.fullmatch(r"\s*(==|!=|>=|<=|>|<)\s*(\d{1,18})\s*", node)
            if match:
                return match[1], int(match[2])
        raise reader.error("wrong-type", f"expected {self.expects}, found {found(node)}", node)


class CountOrIds(Kind):
    """A count, or the ids of messages in order; read as a comparison or a list of texts."""

    expects = "a count such as 2 or '>= 2', or a list of message ids"

    def read(self, reader: Reader, node: Node) -> Comparison | list[str]:
        if isinstance(node, Sequence):
            ids: list[str] = ListOf(TextKind("the id of a message", shortstr=True, empty=False)).read(reader, node)
            return ids
        if isinstance(node, Text):
            return Count("a count").read(reader, node)
        raise self.wrong(reader, node)
