"""A course of events as a scenario with explicit failures, which `run` repeats step by step."""

from collections.abc import Iterator
from typing import Any

from routesim import steps
from routesim.broker import Broker
from routesim.broker.topology import stripped
from routesim.durations import written_duration
from routesim.explore.answer import Counterexample
from routesim.explore.bounds import Bounds
from routesim.explore.moves import Move, job_of, make
from routesim.explore.root import root_of
from routesim.explore.world import World
from routesim.model import Consumer
from routesim.recording.forms import Form, Forms
from routesim.run.folds.fold import Fold
from routesim.run.folds.records import Fates
from routesim.scenario import Scenario
from routesim.scenario.topology_data import queue_form, scenario_sections, table, topology_of
from routesim.scenario.yaml.writing import Bare, OneLine, WrittenItem, text
from routesim.steps import Step

NEVER_DONE = "100d"  # longer than any course of events takes
ENOUGH_HANDS = 1_000
MOST_IDS = 20  # a longer list is a count


class Scrivener:
    """Writes down what a broker is asked, as the steps of a scenario."""

    def __init__(self) -> None:
        self.forms = Forms(sizes=False)
        self.items: list[tuple[str, Form]] = []
        self.comment = ""

    def step(self, step: Step, broker: Broker) -> None:
        self._add(self.forms.of(step, broker))

    def noted(self, index: int, told: list[str]) -> None:
        """What fell out otherwise than usual in what was written from that item on."""
        if not told:
            return
        said = f"OPEN: {'; '.join(told)}"
        if index < len(self.items):
            comment, form = self.items[index]
            self.items[index] = (f"{comment}; {said}" if comment else said), form
        else:
            self.comment = f"{self.comment}; {said}" if self.comment else said

    def refused(self, code: int) -> None:
        comment, form = self.items[-1]
        self.items[-1] = comment, {**form, "fails": code}

    def passes(self, ms: int) -> None:
        self._add({"wait": Bare(written_duration(ms))})

    def _add(self, form: Form) -> None:
        self.items.append((self.comment, form))
        self.comment = ""


class Retold:
    """A counterexample carried out once more. `world`: the state at its end; `text`: the scenario."""

    def __init__(self, scenario: Scenario, bounds: Bounds, name: str, example: Counterexample) -> None:
        self.scenario, self.name, self.example = scenario, name, example
        self.scrivener = Scrivener()
        self.fates = Fates()
        self.done: dict[str, list[Form]] = {}  # of consumers that need not acknowledge: the rules for what they have done
        self.world = root_of(scenario, bounds)
        self.world.scribe = self.scrivener
        for move, words in zip(example.moves, example.words, strict=True):
            if move.failure:  # one that asks the broker for nothing stands before what comes next
                self.scrivener.comment = f"FAILURE: {words}"
            self._note_done(move)
            before = len(self.scrivener.items)
            self.scrivener.noted(before, make(self.world, move).told)
            for event in self.world.events:
                Fold.hear(self.fates, event)
        self.text = text(self._sections(), self._head())

    def _note_done(self, move: Move) -> None:
        if move.kind != "finish":
            return
        hand, _, job = job_of(self.world, move)
        if hand.consumer.auto_ack:
            seen = self.done.setdefault(hand.consumer.name, [])
            seen.append({"message": job.delivery.copy.message, "takes": Bare("0s")})

    def _head(self) -> Iterator[str]:
        example = self.example
        yield "Found by `routesim explore`. `routesim run` repeats it, and so does a broker, by `routesim verify`, where it can."
        who = f"{example.broken.message}: " if example.broken.message else ""
        yield f"{self.name}: {who}{example.broken.how}"
        for failure in example.failures:
            yield f"Failure: {failure}"
        if example.races:
            yield "RabbitMQ leaves open what is marked as OPEN, and no scenario can force it: `run` takes the usual outcome,"
            yield "a broker any, sometimes this one. What follows may not be possible then, and nothing is expected of the end."
        if any(state.matcher.by_chance for state in self.world.broker.exchanges.values()):
            yield "An exchange throws dice: where it falls out otherwise than in what was found, the end is another one."

    def _sections(self) -> dict[str, Any]:
        scenario = self.scenario
        sections = scenario_sections(topology_of(scenario))
        for declaration in scenario.declarations:
            step = declaration.step
            if isinstance(step, steps.DeclareQueue) and step.queue.exclusive:
                queue = step.queue._replace(name=stripped(step.queue.name))
                form = queue_form(queue, short=False)
                sections["queues"][queue.name] = {**form, "channel": step.channel}
        settings = scenario.settings
        given: Form = {}
        if settings.consumer_timeout is not None:
            given["consumer_timeout"] = Bare(written_duration(settings.consumer_timeout))
        if settings.max_message_size is not None:
            given["max_message_size"] = settings.max_message_size
        if given:
            sections["broker"] = OneLine({**(sections["broker"].value if "broker" in sections else {}), **given})
        if scenario.seed:
            sections["seed"] = scenario.seed
        first = {"name": f"{scenario.name}: {self.name}"}
        return {
            **first,
            **{name: sections.pop(name) for name in ("rabbitmq", "vhost", "seed", "broker") if name in sections},
            **sections,
            "channels": {name: _channel(plan) for name, plan in scenario.channels.items()},
            "consumers": {name: self._consumer(consumer) for name, consumer in scenario.consumers.items()},
            "steps": [WrittenItem(comment, None, form) for comment, form in _joined(self.scrivener.items)],
            "until": "steps",
            **({} if self.example.races else {"expect": self._expected()}),
        }

    def _consumer(self, consumer: Consumer) -> Form:
        """It answers nothing by itself: what it does are steps."""
        form: Form = {"queue": consumer.queue, "channel": consumer.channel}
        if consumer.prefetch is not None:
            form["prefetch"] = consumer.prefetch
        if consumer.exclusive:
            form["exclusive"] = True
        if consumer.arguments:
            form["arguments"] = table(consumer.arguments)
        if not consumer.start:
            form["start"] = False
        if consumer.auto_ack:
            done = self.done.get(consumer.name, [])
            rules = [rule for number, rule in enumerate(done) if rule not in done[:number]]
            return form | {
                "auto_ack": True, "concurrency": ENOUGH_HANDS, "takes": Bare(NEVER_DONE),
                **({"on_message": [*rules, {"do": "ack"}]} if rules else {}),
            }  # fmt: skip
        return form | {"on_message": "hold"}

    def _expected(self) -> Form:
        """How it ends."""
        world = self.world
        queues: Form = {}
        for declared in topology_of(self.scenario).queues:
            queue = world.broker.queues.get(declared.name)
            if queue is None:
                if not declared.exclusive:
                    queues[declared.name] = {"exists": False}
                continue
            held = [message for message, *_ in world.broker.unacked_of(queue)]
            ready = [copy.message for copy in queue.ready()]
            queues[queue.name] = {"ready": _ids(ready), **({"unacked": _ids(held)} if held else {})}
        messages = {
            message: {queue: state for queue, (_, state) in reached.items() if queue}
            for message, reached in self.fates.of.items()
        }
        return {"queues": queues, "messages": {name: states for name, states in messages.items() if states}}


def _channel(plan: Any) -> Form:
    prefetch = {"prefetch": plan.prefetch} if plan.prefetch else {}
    return {"connection": plan.connection, "confirms": plan.confirms, **prefetch}


def _ids(ids: list[str]) -> Any:
    return list(ids) if 0 < len(ids) <= MOST_IDS else len(ids)


def _joined(items: list[tuple[str, Form]]) -> Iterator[tuple[str, Form]]:
    yield from items


def end_of(world: World) -> dict[str, Any]:
    """What can be seen at the end of a course of events, to be compared."""
    broker = world.broker
    return {
        name: ([copy.message for copy in queue.ready()], [item[0] for item in broker.unacked_of(queue)])
        for name, queue in broker.queues.items()
    }
