"""The JSON Schema of scenarios, made from the tables by which the loader reads (`format`, `kinds`).

It holds keys, types, enumerations and ranges. What refers to something else (names, ids), counts bytes, or is RabbitMQ's
to refuse, the loader alone can tell.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from routesim.broker.policies import POLICY_KEYS
from routesim.durations import LONGEST_MS, WITH_UNIT
from routesim.exchanges import EXCHANGE_TYPES
from routesim.queues.arguments import ARGUMENTS, Argument
from routesim.scenario.celery.celery_format import Later
from routesim.scenario.celery.celery_steps import VERBS as CELERY_VERBS
from routesim.scenario.celery.celery_steps import CeleryVerb
from routesim.scenario.celery.setting_format import TimeZone
from routesim.scenario.format import declared, whole
from routesim.scenario.format.amqp_values import AmqpValue, Table
from routesim.scenario.format.canvases import SHAPES, Canvas, Data, Members
from routesim.scenario.format.counts import Count, CountOrIds, HeaderValue, Instant, Lasts, Limit, Over, Rate, Seconds, Yes
from routesim.scenario.format.kinds import (
    SHORTSTR_BYTES,
    Boolean,
    Choice,
    Duration,
    Integer,
    Kind,
    Number,
    Reader,
    TextKind,
    Unreadable,
)
from routesim.scenario.format.shapes import Either, ListOf, MapOf, Schema, Shape
from routesim.scenario.format.workers import LazyApp
from routesim.scenario.steps.checks import schema_of
from routesim.scenario.steps.verbs import FAILS, VERBS, Verb
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.scenario.yaml.source import Source
from routesim.values import INTEGER_RANGES

DRAFT = "https://json-schema.org/draft/2020-12/schema"
DURATION = rf"({WITH_UNIT}|0+)"
SCALARS = ["string", "number", "boolean"]  # YAML's `1.10` is a number to an editor and the text 1.10 to routesim
NOTHING: Schema = {"type": "null"}


def schema() -> Schema:
    """Draft 2020-12, with one definition for each part that has a name."""
    made = _Made()
    scenario = made.of(whole.SCENARIO)
    _known_types(scenario["properties"])
    _sections_in_list_form(scenario["properties"])
    made.definitions["value"] = _value()
    made.definitions["table"] = {"type": ["object", "null"], "propertyNames": _name(), "additionalProperties": _ref("value")}
    return {
        "$schema": DRAFT,
        "title": "A routesim scenario",
        "description": "A RabbitMQ topology, what happens in it, and what must be so in the end.",
        **scenario,
        "$defs": dict(sorted(made.definitions.items())),
    }


def text() -> str:
    """The schema as it is printed and shipped."""
    return json.dumps(schema(), indent=1) + "\n"


class _Made:
    """The schemas of kinds; shapes are collected as definitions, since several places use one."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of(self, kind: Kind) -> Schema:
        if isinstance(kind, whole.StepList):
            return {"type": ["array", "null"], "items": self.step()}
        if isinstance(kind, Members):
            return {"type": "array", "items": self.of(kind.item), "minItems": 1}
        if isinstance(kind, ListOf):
            items = self.of(kind.item)
            listed: Schema = {"type": "array", "items": items}
            return {"anyOf": [listed, items, NOTHING]} if kind.single else {"type": ["array", "null"], "items": items}
        if isinstance(kind, MapOf):
            return {
                "type": ["object", "null"],
                "propertyNames": self._names(kind.name),
                "additionalProperties": self.of(kind.item),
            }  # fmt: skip
        if isinstance(kind, Canvas):
            return self.canvas()
        if isinstance(kind, (whole.LazyCelery, LazyApp)):
            return self.of(kind.kind())
        if isinstance(kind, Shape):
            return self.shape(kind)
        if isinstance(kind, Either):
            forms = _forms(kind)
            made: Schema = {"anyOf": [self.of(form) for form in forms]}
            return {**made, "not": NOTHING} if any(map(_takes_nothing, forms)) and not _takes_nothing(kind) else made
        return LEAVES[type(kind)](kind)

    def _names(self, kind: Kind) -> Schema:
        """What a mapping's names may be."""
        return self.of(kind) if isinstance(kind, Choice) else _name(empty=isinstance(kind, TextKind) and kind.empty)

    def canvas(self) -> Schema:
        """Signatures stand within signatures."""
        if "canvas" not in self.definitions:
            self.definitions["canvas"] = {}
            forms = [LEAVES[TextKind](declared.NAME), *(self.shape(shape) for shape in SHAPES.values())]
            self.definitions["canvas"] = {"anyOf": forms}
        return _ref("canvas")

    def shape(self, kind: Shape, more: Schema | None = None) -> Schema:
        """`more`: what its fields do not say, beside `kind.schema`."""
        properties = {name: {**self.of(field.kind), "description": field.doc} for name, field in kind.fields.items()}
        made: Schema = {
            "type": ["object", "null"] if kind.optional else "object",
            "properties": properties,
            "additionalProperties": False,
        }
        required = [name for name, field in kind.fields.items() if field.required]
        if required:
            made["required"] = required
        _complete(kind, properties)
        made.update({**kind.schema, **(more or {})})
        if kind is whole.SCENARIO:
            return made
        name = kind.what if kind is not declared.REPLY else "reply"
        name = name.removeprefix("the ").removeprefix("an ").removeprefix("a ").replace(" ", "_")
        assert self.definitions.setdefault(name, made) == made, f"two shapes are called {name}"
        return _ref(name)

    def step(self) -> Schema:
        """One verb, and `fails` beside it."""
        rows: dict[str, Verb | CeleryVerb] = {**VERBS, **CELERY_VERBS}
        verbs = {verb: self.verb(row) for verb, row in rows.items()}
        self.definitions["step"] = {
            "type": "object",
            "properties": {
                **verbs,
                "fails": {**LEAVES[Integer](FAILS), "description": "the reply code it must fail with"},
            },
            "additionalProperties": False,
            "oneOf": [{"required": [verb]} for verb in verbs],
        }
        return _ref("step")

    def verb(self, row: Verb | CeleryVerb) -> Schema:
        if not isinstance(row.kind, Shape):
            return self.of(row.kind)
        said = schema_of(row.checks)
        if any(
            row.kind is field.kind for field in whole.SCENARIO.fields.values()
        ):  # the shape of a section, which is not the step's
            return {"allOf": [self.shape(row.kind), said]}
        return self.shape(row.kind, said)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _name(*, empty: bool = True) -> Schema:
    return {"maxLength": SHORTSTR_BYTES} if empty else {"minLength": 1, "maxLength": SHORTSTR_BYTES}


def _forms(kind: Either) -> list[Kind]:
    """The kinds that an `Either` chooses from, found by showing it one node of every form."""
    word, number = _plain("word"), _plain("1")
    nodes: list[Node] = [word, number, _plain(""), Mapping(), Sequence()]
    found = [kind.choose(node) for node in nodes]
    return [form for index, form in enumerate(found) if form is not None and form not in found[:index]]


def _takes_nothing(kind: Kind) -> bool:
    """Whether it takes a null. An `Either` reads it as one of its forms, whatever another of them would take."""
    try:
        kind.read(Reader(Source("", "")), _plain(""))
    except Unreadable:
        return False
    return True


def _plain(text: str) -> Text:
    node = Text(text)
    node.plain = True
    node.line = node.column = node.width = 0
    return node


# Kinds without parts -------------------------------------------------------------------------------------------------


def _text(kind: TextKind) -> Schema:
    made: Schema = {"type": SCALARS}
    if kind.shortstr:
        made["maxLength"] = SHORTSTR_BYTES
    return made if kind.empty else {**made, "minLength": 1}


def _number(kind: Integer | Number) -> Schema:
    limits = {"minimum": kind.low, "maximum": kind.high}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    return {"type": "integer" if isinstance(kind, Integer) else "number", **given}


def _duration(kind: Duration) -> Schema:
    if kind.bare_ms:
        bare = {"type": "integer", "minimum": 0, "maximum": LONGEST_MS}
        return {"anyOf": [bare, {"type": "string", "pattern": rf"^({WITH_UNIT}|[0-9]{{1,18}})$"}]}
    return {"anyOf": [{"const": 0}, {"type": "string", "pattern": f"^{DURATION}$"}]}


def _count(kind: Count) -> Schema:
    return {
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": r"^\s*(==|!=|>=|<=|>|<)\s*[0-9]{1,18}\s*$"},
        ]
    }


LEAVES: dict[type[Kind], Callable[[Any], Schema]] = {
    TextKind: _text,
    Integer: _number,
    Number: _number,
    Boolean: lambda kind: {"type": "boolean"},
    Duration: _duration,
    Choice: lambda kind: {"enum": list(kind.options)},
    Count: _count,
    Instant: lambda kind: {
        "anyOf": [
            {"const": 0},
            {"type": "string", "pattern": rf"^\s*((==|!=|>=|<=|>|<)\s*)?{DURATION}\s*$"},
            {"type": ["array", "null"], "items": _duration(Duration())},
        ]
    },
    HeaderValue: lambda kind: _ref("value"),
    CountOrIds: lambda kind: {"anyOf": [*_count(kind)["anyOf"], {"type": ["array"], "items": _text(declared.ID)}]},
    Over: lambda kind: {"type": "string", "pattern": r"^\s*(>=|>)\s*[0-9]{1,18}\s*$"},
    Lasts: lambda kind: {"type": "string", "pattern": rf"^\s*(>=|>)\s*{DURATION}\s*$"},
    Yes: lambda kind: {"const": True},
    Limit: lambda kind: {"anyOf": [{"type": "integer", "minimum": 0}, {"const": "none"}]},
    Rate: lambda kind: {
        "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^[0-9.]+(/[smh])?$"}]
    },
    Table: lambda kind: _ref("table"),
    Seconds: lambda kind: {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": LONGEST_MS // 1000},
            {"type": "string", "pattern": f"^{DURATION}$"},
        ]
    },
    Data: lambda kind: {},
    TimeZone: lambda kind: {"type": ["string", "null"]},
    Later: lambda kind: {"type": ["array", "null"], "items": _ref(kind.what)},
    AmqpValue: lambda kind: _ref("value"),
}


def _value() -> Schema:
    """A header or an argument; an object of one key that is a type's name is a typed value."""
    low, high = INTEGER_RANGES["long"]
    typed: dict[str, Schema] = {
        name: {"type": "integer", "minimum": least, "maximum": most} for name, (least, most) in INTEGER_RANGES.items()
    }
    typed |= {
        "timestamp": {"type": "integer", "minimum": 0, "maximum": high},
        "float": {"type": "number", "minimum": -3.4028234663852886e38, "maximum": 3.4028234663852886e38},
        "double": {"type": "number"},
        "bool": {"type": "boolean"},
        "bytes": {"type": SCALARS},
        "longstr": {"type": SCALARS},
        "decimal": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{0,8})?$"}]},
        "void": {},
        "table": _ref("table"),
        "array": {"type": "array", "items": _ref("value")},
    }  # fmt: skip
    one = {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"enum": list(typed)}}
    return {
        "type": ["string", "number", "boolean", "null", "array", "object"],
        "anyOf": [{"not": {"type": "integer"}}, {"minimum": low, "maximum": high}],
        "items": _ref("value"),
        "if": one,
        "then": {"properties": typed},
        "else": {"propertyNames": _name(), "additionalProperties": _ref("value")},
    }


def _complete(kind: Shape, properties: dict[str, Schema]) -> None:
    """Words that an editor may offer, where others are allowed too."""
    if kind is declared.EXCHANGE_OPTIONS:
        properties["type"]["examples"] = list(EXCHANGE_TYPES)
    elif kind is declared.QUEUE:
        properties["type"]["examples"] = list(declared.QUEUE_TYPE.options)
        properties["arguments"]["properties"] = {
            name: {"description": _about(name, argument)} for name, argument in ARGUMENTS.items()
        }
        said = "No queue reads an argument of this name; RabbitMQ stores it silently. Is it spelt right?"
        properties["arguments"]["patternProperties"] = _warned("x-", ARGUMENTS, said)
    elif kind is declared.POLICY:
        properties["definition"]["properties"] = {name: {} for name in sorted(POLICY_KEYS)}
        said = "No policy has a key of this name; RabbitMQ refuses the policy. Is it spelt right?"
        properties["definition"]["patternProperties"] = _warned("", sorted(POLICY_KEYS), said)


def _warned(before: str, known: Iterable[str], said: str) -> Schema:
    """Of other names than these that begin so: valid, as some are for the loader, with a warning in editors that know
    `deprecationMessage` (VS Code, yaml-language-server)."""
    return {f"^(?!({'|'.join(known)})$){before}": {"deprecated": True, "deprecationMessage": said}}


def _about(name: str, argument: Argument) -> str:
    """What an editor tells of an argument: who takes it, since when, and how a policy sets it."""
    types = ", ".join(kind + (f" (from RabbitMQ {since})" if since else "") for kind, since in argument.types.items())
    unit = (
        " In ms." if argument.duration and argument.sets else ""
    )  # x-max-age, which its type reads itself, is a text with a unit
    policy = f"The policy key {name.removeprefix('x-')} sets it too." if argument.policy else "No policy sets it."
    return f"Of queues of type {types}.{unit} {policy}"


def _known_types(properties: dict[str, Schema]) -> None:
    """What a scenario declares from the start has a type that there is: RabbitMQ refuses another, and so does the loader. A
    `declare` step may name any, to see it refused."""
    exchanges, queues = properties["exchanges"], properties["queues"]
    word, options = exchanges["additionalProperties"]["anyOf"]
    of_exchange = {"properties": {"type": {"enum": list(EXCHANGE_TYPES)}}}
    exchanges["additionalProperties"] = {"anyOf": [{**word, "enum": list(EXCHANGE_TYPES)}, {**options, **of_exchange}]}
    of_queue = {"properties": {"type": {"enum": list(declared.QUEUE_TYPE.options)}}}
    queues["additionalProperties"] = {**queues["additionalProperties"], **of_queue}


def _sections_in_list_form(properties: dict[str, Schema]) -> None:
    """Exchanges and queues may also stand as in a definitions file, whose unknown keys are passed over."""
    flags: Schema = {name: {"type": "boolean"} for name in ("durable", "auto_delete")}
    flags["internal"] = {"type": ["boolean", "null"]}
    for section, required in (("exchanges", ["name", "type"]), ("queues", ["name"])):
        named = {name: {"type": "string", "maxLength": SHORTSTR_BYTES} for name in required}
        item = {"type": "object", "properties": {**named, **flags}, "required": required}
        as_mapping = properties[section]
        doc = as_mapping.pop("description")
        properties[section] = {"anyOf": [as_mapping, {"type": "array", "items": item}], "description": doc}
    bindings = properties["bindings"]
    listed = {"type": "array", "items": {"type": "object", "required": ["destination_type"]}, "contains": {"required": ["vhost"]}}
    doc = bindings.pop("description")
    properties["bindings"] = {"anyOf": [bindings, listed], "description": doc}
