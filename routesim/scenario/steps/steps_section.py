"""The `steps` section: each step is read, the names it brings are noted, and once all are known it is built (see `verbs`)."""

from itertools import repeat

from routesim.diagnostics import did_you_mean, some_of
from routesim.scenario.format.instead import step_cure
from routesim.scenario.format.kinds import Reader, Unreadable, shown
from routesim.scenario.scenario import Action, PublishMany, ScenarioStep
from routesim.scenario.sections.declarations import Declarations
from routesim.scenario.sections.names import Names
from routesim.scenario.steps import building, verbs
from routesim.scenario.steps.alike import AlikeStep
from routesim.scenario.steps.building import StepContext
from routesim.scenario.steps.checks import WrittenStep
from routesim.scenario.steps.written import step_text
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text


class StepsSection:
    def __init__(self, reader: Reader, names: Names, declarations: Declarations) -> None:
        self.reader = reader
        self.names = names
        self.context = StepContext(reader, names, declarations)
        self.models: dict[int, PublishMany | None] = {}  # by their node, the steps that others are like

    def read(self, nodes: Sequence, texts: list[str] | None = None) -> list[WrittenStep]:
        """The steps whose fields can be read; the others are counted in `reader.unread_steps`. `texts`: as what each is shown
        (None, or empty: as itself)."""
        found = []
        for node, text in zip(nodes, texts or repeat(""), strict=False):
            try:
                found.append(self._read(node, text))
            except Unreadable:
                self.reader.unread_steps += 1
        return found

    def _read(self, node: Node | AlikeStep, text: str) -> WrittenStep:
        if isinstance(node, AlikeStep):
            self.models[id(node.value)] = None
            return WrittenStep("publish", node, node.value, next(iter(node.first)), None, text)
        if not isinstance(node, Mapping):
            cure = f"write `- {node}: …`" if isinstance(node, Text) and node in verbs.NAMES else ""
            raise self.reader.error("wrong-type", f"expected a step such as `- publish: {{…}}`, found {shown(node)}", node, cure)
        given = [key for key in node if key in verbs.NAMES]
        for key in node:
            if key not in verbs.NAMES and key != "fails":
                cure = step_cure(key, node[key]) or did_you_mean(key, (*verbs.NAMES, "fails"))
                cure = cure or some_of(verbs.NAMES, key, "steps:", "steps")
                raise self.reader.error("unknown-step", f"'{key}' is no step", key, cure)
        if len(given) != 1:
            if not given:
                raise self.reader.error("wrong-type", "a step needs a verb", node)
            problem = f"one step is one verb, found {' and '.join(given)}"
            raise self.reader.error("wrong-type", problem, given[1], "begin the second one with its own '- '")
        verb = given[0]
        fails = verbs.FAILS.read(self.reader, node["fails"]) if "fails" in node else None
        value = node[verb]
        fields = verbs.kind_of(verb).read(self.reader, value)
        return WrittenStep(str(verb), fields, value, verb, fails, text or step_text(verb, value))

    def gather(self, written: list[WrittenStep]) -> None:
        """Names that the steps bring: declarations, channels, ids of messages."""
        for step in written:
            if isinstance(step.fields, AlikeStep):
                building.ids_of_alike(self.context, step, step.fields.publish)
                continue
            gather = verbs.VERBS[step.verb].gather
            if gather is not None:
                gather(self.context, step)

    def build(self, written: list[WrittenStep]) -> tuple[ScenarioStep, ...]:
        """The steps without those in which something is wrong."""
        self.context.published = 0
        built = []
        for step in written:
            action = self._alike(step.fields) if isinstance(step.fields, AlikeStep) else self._action(step)
            if id(step.node) in self.models and isinstance(action, PublishMany):
                self.models[id(step.node)] = action
            if action is not None:
                built.append(ScenarioStep(step.at.line, step.text, action, step.fails))
        return tuple(built)

    def _alike(self, step: AlikeStep) -> Action | None:
        self.context.published += 1
        first = self.models[id(step.value)]
        return None if first is None else step.action(first)

    def _action(self, step: WrittenStep) -> Action | None:
        verb = verbs.VERBS[step.verb]
        try:
            for check in verb.checks:
                check.look(self.names, step)
            return verb.build(self.context, step)
        except Unreadable:
            return None
