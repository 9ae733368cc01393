"""The pages `format` and `steps` of the documentation, made of the tables by which scenarios are read."""

from collections.abc import Iterator

from routesim.broker.policies import POLICY_KEYS
from routesim.exchanges import EXCHANGE_TYPES
from routesim.queues.arguments import ARGUMENTS
from routesim.scenario import schema
from routesim.scenario.celery.celery_steps import VERBS as CELERY_ROWS
from routesim.scenario.celery.celery_steps import CeleryVerb
from routesim.scenario.format import declared
from routesim.scenario.format.kinds import Choice, Kind
from routesim.scenario.format.shapes import Either, ListOf, MapOf, Shape
from routesim.scenario.format.whole import SCENARIO, LazyCelery
from routesim.scenario.format.workers import LazyApp
from routesim.scenario.steps.verbs import VERBS, Verb
from routesim.values import INTEGER_RANGES, OTHER_TYPES

ROWS: dict[str, Verb | CeleryVerb] = {**VERBS, **CELERY_ROWS}
CALLED = {id(declared.REPLY): "publish of a rule"}

STEPS_HEAD = """# Steps

What may stand under `steps:`, one verb each. `fails: CODE` beside the verb: the step must fail with this reply code.
A field that holds more than one value names the part of the [format](format.md) in which its own fields stand.
"""
FORMAT_HEAD = """# The format of a scenario

Every key that may stand in a scenario, made of the tables by which it is read; `routesim schema` prints the same for editors.
[scenario](scenario.md) explains how to write one, [steps](steps.md) has what may stand under `steps:`.
"""
VALUES = """## Values

- **A duration** is 250ms, 5s, 2m, 1h, 1d, or 0; a number without a unit is refused, with both readings. Under keys that Celery has it is one
  of seconds, as there; arguments such as x-message-ttl and `consumer_timeout` keep RabbitMQ's own unit, milliseconds.
- **A count** that is expected, or a condition of a rule, is a number, or a comparison: '>= 3', '> 3', '<= 3', '< 3', '!= 3'.
- **A header or an argument** has the AMQP type of its YAML form: 42 is an integer, "42" a text, true a boolean, null void, lists and mappings
  are arrays and tables. A mapping of one of these keys is a value of that type:
"""


def shapes_in(kind: Kind) -> Iterator[Shape]:
    """The mappings with known keys that a field holds, in lists and under names too."""
    if isinstance(kind, LazyCelery | LazyApp):
        kind = kind.kind()
    if isinstance(kind, Shape):
        yield kind
    elif isinstance(kind, ListOf | MapOf):
        yield from shapes_in(kind.item)
    elif isinstance(kind, Either):
        yield from dict.fromkeys(shape for form in schema._forms(kind) for shape in shapes_in(form))


class Pages:
    """Both pages; `parts`: the mappings that any of their tables names, each with what it is called."""

    def __init__(self) -> None:
        self.parts: dict[str, Shape] = {}
        self.steps = _page(self._steps())
        self.format = _page(self._format())

    def _steps(self) -> Iterator[str]:
        yield STEPS_HEAD
        for name, row in ROWS.items():
            kind = row.kind
            takes = "" if isinstance(kind, Shape) else f" Takes {kind.expects}."
            yield f"## {name}\n\n{row.help[0].upper()}{row.help[1:]}.{takes}\n"
            for shape in [kind] if isinstance(kind, Shape) else list(shapes_in(kind)):
                yield from self._table(shape, "format.md")

    def _format(self) -> Iterator[str]:
        yield FORMAT_HEAD
        yield "## The sections\n"
        yield from self._table(SCENARIO, "", {"steps": "[steps](steps.md)"})
        yield VALUES
        yield f"  {', '.join(sorted({*INTEGER_RANGES, *OTHER_TYPES}))}.\n"
        yield "# What stands in them\n"
        told: set[str] = set()
        while left := [name for name in self.parts if name not in told]:
            told.add(left[0])
            yield f'## <a id="{_anchor(left[0])}"></a>{left[0]}\n'
            yield from self._table(self.parts[left[0]], "")
        yield "# Names that RabbitMQ gives\n"
        yield f"## Exchange types\n\n{', '.join(f'`{name}`' for name in EXCHANGE_TYPES)}\n"
        yield "## Queue arguments\n\n| argument | of | key of policies |\n| --- | --- | --- |"
        for name, argument in ARGUMENTS.items():
            types = ", ".join(f"{kind} from {since}" if since else kind for kind, since in argument.types.items())
            key = f"`{name.removeprefix('x-')}`" if argument.policy else ""
            yield f"| `{name}` | {types} | {key} |"
        others = sorted(set(POLICY_KEYS) - {name.removeprefix("x-") for name in ARGUMENTS})
        yield f"\n## Keys of policies that are no arguments of queues\n\n{', '.join(f'`{name}`' for name in others)}\n"

    def _table(self, shape: Shape, page: str, see: dict[str, str] | None = None) -> Iterator[str]:
        """The fields of a mapping; the mappings that stand in them are noted as parts."""
        yield "| field | |\n| --- | --- |"
        for field, (inner, doc, required) in shape.fields.items():
            options = f" ({', '.join(inner.options)})" if isinstance(inner, Choice) and inner.options[0] not in doc else ""
            links = [self._link(part, page) for part in shapes_in(inner)]
            if see and field in see:
                links = [see[field]]
            more = f": {', '.join(links)}" if links else ""
            yield f"| `{field}`{' (required)' if required else ''} | {doc}{options}{more} |"
        yield ""

    def _link(self, part: Shape, page: str) -> str:
        name = CALLED.get(id(part), part.what.removeprefix("the ").removeprefix("an ").removeprefix("a "))
        assert self.parts.setdefault(name, part) is part, f"two shapes are called {name}"
        return f"[{name}]({page}#{_anchor(name)})"


def _anchor(name: str) -> str:
    return name.replace(" ", "-").lower()


def _page(lines: Iterator[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"
