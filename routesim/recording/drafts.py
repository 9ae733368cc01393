"""A recording as a scenario that can be run without being written: which of its steps it makes, what it declares at the top
instead, and how long it waits before each.
"""

from typing import Any

from routesim import steps
from routesim.model import DECLARE_CHANNEL, ChannelPlan
from routesim.named_tuples import NamedTuple
from routesim.recording.recorder import Taken
from routesim.scenario import Do, PublishMany, Scenario, ScenarioStep, Wait
from routesim.scenario.scenario import Declaration

DECLARING = (steps.DeclareExchange, steps.DeclareQueue, steps.Bind)


class RecordingDraft(NamedTuple):
    """`given`: what was there from the beginning. `waits`: in ms, before each of the steps and at the end. `at_top`: numbers of
    steps that stand at the top instead, `left_out` of those that are not made. `late`: reply codes of what the broker closes by
    itself while the scenario waits before a step, by its number."""

    given: Scenario
    taken: tuple[Taken, ...]
    waits: tuple[int, ...]
    at_top: frozenset[int] = frozenset()
    left_out: frozenset[int] = frozenset()
    late: dict[int, int] = {}

    def scenario(self) -> "Runnable":
        """The scenario, and which step of the recording each of its steps is; None: a wait."""
        made: list[ScenarioStep] = []
        origins: list[int | None] = []
        top: list[Declaration] = []
        wait_ms, late = 0, None
        for number, taken in enumerate((*self.taken, None)):
            wait_ms, late = wait_ms + self.waits[number], self.late.get(number, late)
            if taken is not None and number in self.at_top:
                top.append(Declaration(0, taken.step._replace(channel=DECLARE_CHANNEL)))  # type: ignore[call-arg]
                continue
            if number in self.left_out:
                continue
            if wait_ms or late is not None:
                made.append(ScenarioStep(0, "", Wait(wait_ms), late))
                origins.append(None)
                wait_ms, late = 0, None
            if taken is not None:
                made.append(ScenarioStep(0, "", _action(taken.step), taken.refused))
                origins.append(number)
        given = self.given
        declared = [item for item in given.declarations if not isinstance(item.step, steps.Consume)]
        order = sorted([*declared, *top], key=lambda item: _place(item.step))
        scenario = given._replace(
            channels={**given.channels, **plans(self.taken)}, declarations=tuple(order), consumers=consumers(self.taken),
            steps=tuple(made), expect=(), routes=(), never=(), tasks={}, workers={}, until="steps",
        )  # fmt: skip
        return Runnable(scenario, tuple(origins))


class Runnable(NamedTuple):
    scenario: Scenario
    origins: tuple[int | None, ...]


def _action(step: steps.Step) -> Any:
    if isinstance(step, steps.Publish):
        return PublishMany(step.channel, step.message, step.id, None, 1, 0)
    return Do((step,))


def _place(step: steps.Step) -> int:
    """As the loader sorts what is declared at the top."""
    return next((place for place, kind in enumerate(DECLARING) if isinstance(step, kind)), len(DECLARING))


def plans(taken: tuple[Taken, ...]) -> dict[str, ChannelPlan]:
    """Which channel is on which connection."""
    opened = [item.step for item in taken if isinstance(item.step, steps.OpenChannel)]
    return {step.channel: ChannelPlan(step.channel, step.connection, confirms=False) for step in opened}


def consumers(taken: tuple[Taken, ...]) -> dict[str, Any]:
    return {item.step.consumer.name: item.step.consumer for item in taken if isinstance(item.step, steps.Consume)}
