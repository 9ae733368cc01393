"""The `steps` section: each step is read, the names it brings are noted, and once all are known it is built (see `verbs`)."""

from routesim.diagnostics import did_you_mean
from routesim.scenario.format.kinds import Reader, Unreadable, shown
from routesim.scenario.format.synonyms import STEPS
from routesim.scenario.scenario import Action, ScenarioStep
from routesim.scenario.sections.declarations import Declarations
from routesim.scenario.sections.names import Names
from routesim.scenario.steps import verbs
from routesim.scenario.steps.building import StepContext
from routesim.scenario.steps.checks import WrittenStep
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.text import cut

TEXT_WIDTH = 100


class StepsSection:
    def __init__(self, reader: Reader, names: Names, declarations: Declarations) -> None:
        self.reader = reader
        self.names = names
        self.context = StepContext(reader, names, declarations)

    def read(self, nodes: Sequence) -> list[WrittenStep]:
        """The steps whose fields can be read; the others are counted in `reader.unread_steps`."""
        found = []
        for node in nodes:
            try:
                found.append(self._read(node))
            except Unreadable:
                self.reader.unread_steps += 1
        return found

    def _read(self, node: Node) -> WrittenStep:
        if not isinstance(node, Mapping):
            cure = f"write `- {node}: …`" if isinstance(node, Text) and node in verbs.NAMES else ""
            raise self.reader.error("wrong-type", f"expected a step such as `- publish: {{…}}`, found {shown(node)}", node, cure)
        given = [key for key in node if key in verbs.NAMES]
        for key in node:
            if key not in verbs.NAMES and key != "fails":
                cure = STEPS.get(key) or did_you_mean(key, (*verbs.NAMES, "fails")) or f"steps: {', '.join(verbs.NAMES)}"
                raise self.reader.error("unknown-step", f"'{key}' is no step", key, cure)
        if len(given) != 1:
            if not given:
                raise self.reader.error("wrong-type", "a step needs a verb", node)
            problem = f"one step is one verb, found {' and '.join(given)}"
            raise self.reader.error("wrong-type", problem, given[1], "begin the second one with its own '- '")
        verb = given[0]
        fails = verbs.FAILS.read(self.reader, node["fails"]) if "fails" in node else None
        value = node[verb]
        return WrittenStep(str(verb), verbs.kind_of(verb).read(self.reader, value), value, verb, fails)

    def gather(self, written: list[WrittenStep]) -> None:
        """Names that the steps bring: declarations, channels, ids of messages."""
        for step in written:
            gather = verbs.VERBS[step.verb].gather
            if gather is not None:
                gather(self.context, step)

    def build(self, written: list[WrittenStep]) -> tuple[ScenarioStep, ...]:
        """The steps without those in which something is wrong."""
        self.context.published = 0
        built = []
        for step in written:
            action = self._action(step)
            if action is not None:
                built.append(ScenarioStep(step.at.line, _text(step), action, step.fails))
        return tuple(built)

    def _action(self, step: WrittenStep) -> Action | None:
        verb = verbs.VERBS[step.verb]
        try:
            for check in verb.checks:
                check.look(self.names, step)
            return verb.build(self.context, step)
        except Unreadable:
            return None


def _text(step: WrittenStep) -> str:
    """The step on one line, as it might be written."""
    text = f"{step.verb} {_flow(step.node)}".strip()
    return cut(text, TEXT_WIDTH)


def _flow(node: Node, room: int = TEXT_WIDTH) -> str:
    if isinstance(node, Text):
        shown = str(node)[:room]
        return f'"{shown}"' if not node.plain and (not shown or shown != shown.strip()) else shown
    parts: list[str] = []
    for item in node:
        if room <= 0:
            break
        part = f"{item}: {_flow(node[item], room)}" if isinstance(node, Mapping) else _flow(item, room)
        parts.append(part)
        room -= len(part) + 2
    return "{" + ", ".join(parts) + "}" if isinstance(node, Mapping) else "[" + ", ".join(parts) + "]"
