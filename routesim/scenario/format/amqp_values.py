"""Headers and arguments: AMQP values in the form that they have in YAML."""

import re

from routesim.scenario.format.kinds import (
    AMBIGUOUS,
    FALSE,
    FLOAT,
    INTEGER,
    NULLS,
    SHORTSTR_BYTES,
    TRUE,
    YAML_1_1_BOOLEANS,
    Boolean,
    Integer,
    Kind,
    Number,
    Reader,
    TextKind,
    Unreadable,
    is_null,
    short,
    shown,
    whole_number,
)
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.values import INTEGER_RANGES, OTHER_TYPES, Typed, Value

LARGEST = {"float": 3.4028234663852886e38, "double": 1.7976931348623157e308}


class AmqpValue(Kind):
    """A header or argument, with the AMQP type that its YAML form has (see `values`)."""

    expects = "a value"

    def read(self, reader: Reader, node: Node) -> Value:
        if isinstance(node, Text):
            return self._scalar(reader, node)
        if isinstance(node, Sequence):
            return [self.read(reader, item) for item in node]
        if len(node) == 1:
            ((key, value),) = node.items()
            if key in INTEGER_RANGES or key in OTHER_TYPES:
                return self._typed(reader, key, value)
        table = {}
        for key, value in node.items():
            _check_table_key(reader, key)
            table[str(key)] = self.read(reader, value)
        return table

    def _scalar(self, reader: Reader, node: Text) -> Value:
        if not node.plain:
            return str(node)
        if node in NULLS:
            return None
        if node in TRUE or node in FALSE:
            return node in TRUE
        if INTEGER.fullmatch(node):
            number = whole_number(node)
            low, high = INTEGER_RANGES["long"]
            if number is None or not low <= number <= high:
                raise reader.error("wrong-value", "AMQP has no integers beyond 64 bits", node, "quote it to send it as text")
            return number
        if FLOAT.fullmatch(node):
            if abs(float(node)) > LARGEST["double"]:
                raise reader.error("wrong-value", "a double cannot be so large", node, "quote it to send it as text")
            return float(node)
        if node in YAML_1_1_BOOLEANS:
            other = "true" if node.lower() in ("yes", "on") else "false"
            problem = f"{node} is text to some YAML readers and {other} to others"
            raise reader.error("ambiguous-value", problem, node, f'write "{node}" or {other}')
        if AMBIGUOUS.fullmatch(node):
            problem = f"YAML readers disagree about what {short(node)} is"
            raise reader.error("ambiguous-value", problem, node, f'quote it: "{short(node)}"')
        return str(node)

    def _typed(self, reader: Reader, kind: Text, node: Node) -> Value:
        name = str(kind)
        if name in INTEGER_RANGES:
            return Typed(name, Integer(*INTEGER_RANGES[name]).read(reader, node))
        if name == "timestamp":
            return Typed(name, Integer(0, 2**63 - 1).read(reader, node))
        if name in ("float", "double"):
            number = float(Number().read(reader, node))
            if abs(number) > LARGEST[name]:
                raise reader.error("wrong-value", f"a {name} cannot be so large", node)
            return Typed(name, number)
        if name == "bytes":
            return Typed(name, TextKind().read(reader, node).encode("utf-8", "surrogatepass"))
        if name == "decimal":
            text = TextKind("a decimal number of 31 bits such as 1.25").read(reader, node)
            whole, _, digits = text.partition(".")
            if not re.fullmatch("[0-9]{1,9}", whole + digits) or int(whole + digits) >= 2**31:
                raise reader.error("wrong-type", f"expected a decimal number of 31 bits such as 1.25, found {shown(node)}", node)
            return Typed(name, (len(digits), int(whole + digits)))
        if name == "bool":
            return Boolean().read(reader, node)
        if name == "void":
            return None
        if name == "longstr":
            return str(TextKind().read(reader, node))
        wanted = Mapping if name == "table" else Sequence
        if not isinstance(node, wanted):
            raise reader.error(
                "wrong-type", f"expected {'a mapping' if name == 'table' else 'a list'}, found {shown(node)}", node
            )
        return Table().read(reader, node) if name == "table" else self.read(reader, node)


def _check_table_key(reader: Reader, key: Text) -> None:
    if len(key) > SHORTSTR_BYTES // 4 and len(key.encode("utf-8", "surrogatepass")) > SHORTSTR_BYTES:
        raise reader.error("too-long", f"a name in a table is at most {SHORTSTR_BYTES} bytes long", key, "shorten it")


class Table(Kind):
    """Headers or arguments."""

    expects = "a mapping of names to values"

    def read(self, reader: Reader, node: Node) -> dict[str, Value]:
        if is_null(node):
            return {}
        if not isinstance(node, Mapping):
            raise self.wrong(reader, node)
        table, failed = {}, False
        for key, value in node.items():
            try:
                _check_table_key(reader, key)
                table[str(key)] = AmqpValue().read(reader, value)
            except Unreadable:
                failed = True
        if failed:
            raise Unreadable
        return table
