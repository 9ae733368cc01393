"""The kinds of fields that hold a count, a comparison, or the ids of messages."""

import re
from typing import Any

from routesim.celery.rates import rate_of
from routesim.comparisons import Comparison
from routesim.durations import LONGEST_MS, parse_duration
from routesim.scenario.format.amqp_values import AmqpValue
from routesim.scenario.format.kinds import (
    FLOAT,
    INTEGER,
    Boolean,
    Duration,
    Kind,
    Reader,
    TextKind,
    shown,
    whole_number,
    with_unit,
)
from routesim.scenario.format.shapes import ListOf
from routesim.scenario.yaml.nodes import Node, Sequence, Text

COMPARED = re.compile(r"\s*(==|!=|>=|<=|>|<)\s*([0-9]{1,18})\s*")


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
            match = COMPARED.fullmatch(node)
            if match:
                return match[1], int(match[2])
        raise reader.error("wrong-type", f"expected {self.expects}, found {shown(node)}", node)


class HeaderValue(Kind):
    """What a value inside the headers is to be: a comparison, read as (operator, number), or an AMQP value."""

    expects = "a value, or a comparison such as '>= 2'"

    def read(self, reader: Reader, node: Node) -> Any:
        if isinstance(node, Text) and (match := COMPARED.fullmatch(node)):
            return match[1], int(match[2])
        return AmqpValue().read(reader, node)


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


class Over(Kind):
    """What must never be exceeded: `> 3` or `>= 4`, read as (operator, number)."""

    def __init__(self, what: str) -> None:
        self.expects = f"{what}: a limit such as '> 3' or '>= 4'"

    def read(self, reader: Reader, node: Node) -> Comparison:
        if isinstance(node, Text):
            match = re.fullmatch(r"\s*(>=|>)\s*(\S+)\s*", node)
            if match:
                self.check(reader, node, match[2])
            number = self.number(match[2]) if match else None
            if match and number is not None:
                return match[1], number
        cure = f"write '> {node}'" if isinstance(node, Text) and self.number(node) is not None else ""
        raise reader.error("wrong-type", f"expected {self.expects}, found {shown(node)}", node, cure)

    def check(self, reader: Reader, node: Text, limit: str) -> None:
        """Notes what is wrong with the limit though it is one, and raises `Unreadable`."""

    def number(self, text: str) -> int | None:
        return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


class Lasts(Over):
    """The same with a duration: `> 10s`, read as (operator, ms)."""

    def __init__(self, what: str) -> None:
        self.expects = f"{what}: a limit such as '> 10s'"

    def check(self, reader: Reader, node: Text, limit: str) -> None:
        with_unit(reader, node, limit)

    def number(self, text: str) -> int | None:
        return parse_duration(text)


class Instant(Kind):
    """An instant of the run, or a comparison with one, read as (operator, ms); or a list of instants, one a run, in ms."""

    expects = "an instant such as 5s or '>= 5s', or a list of them"

    def read(self, reader: Reader, node: Node) -> Comparison | tuple[int, ...]:
        if isinstance(node, Sequence):
            return tuple(Duration().read(reader, item) for item in node)
        if isinstance(node, Text):
            match = re.fullmatch(r"\s*(==|!=|>=|<=|>|<)\s*(\S+)\s*", node)
            if match:
                with_unit(reader, node, match[2])
            ms = parse_duration(match[2]) if match else None
            if match and ms is not None:
                return match[1], ms
            if not match:
                return "==", Duration().read(reader, node)
        raise self.wrong(reader, node)


class Seconds(Kind):
    """In ms: a bare number of seconds as in Celery, or a duration with its unit."""

    expects = "a number of seconds, or a duration such as 250ms, 5s, 2m, 1h"

    def read(self, reader: Reader, node: Node) -> int:
        if isinstance(node, Text) and node.plain and (INTEGER.fullmatch(node) or FLOAT.fullmatch(node)):
            seconds = float(node) if FLOAT.fullmatch(node) else int(node, 0)
            if 0 <= seconds <= LONGEST_MS // 1000:
                return round(seconds * 1000)
            raise self.wrong(reader, node)
        if not isinstance(node, Text) or parse_duration(node) is None:
            raise self.wrong(reader, node)
        return Duration().read(reader, node)


class Yes(Kind):
    """What is asked for by `true`; to leave it out is to say no."""

    expects = "true"

    def read(self, reader: Reader, node: Node) -> bool:
        if not Boolean().read(reader, node):
            raise self.wrong(reader, node, "take it out")
        return True


class Limit(Kind):
    """A whole number, or none: no limit."""

    expects = "a whole number, or none"

    def read(self, reader: Reader, node: Node) -> int | None:
        if isinstance(node, Text) and node == "none":
            return None
        if not isinstance(node, Text) or not node.plain or not INTEGER.fullmatch(node) or (number := whole_number(node)) is None:
            raise self.wrong(reader, node)
        if number < 0:
            raise self.wrong(reader, node)
        return number


class Rate(Kind):
    """In runs a second: `10/s`, `100/m`, `5/h`, or a bare number a second."""

    expects = "a rate such as 10/s, 100/m or 5/h"

    def read(self, reader: Reader, node: Node) -> float:
        rate = rate_of(node) if isinstance(node, Text) else None
        if rate is None:
            raise self.wrong(reader, node)
        return rate
