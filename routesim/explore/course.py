"""What the publishers of a scenario do: its steps in their order, parted by channel.

A stage is either one step that all wait for (a wait, a declaration, whatever belongs to no one channel), or what several
channels do between two of those, each in its own order and at its own pace.
"""

from collections.abc import Iterator

from routesim.named_tuples import NamedTuple
from routesim.scenario import Do, Expect, PublishMany, Scenario, ScenarioStep, Wait
from routesim.steps import Ack, Get, Nack, Publish, Qos, Recover, Reject, SelectConfirms, Tx

OF_ONE_CHANNEL = (Publish, Get, Ack, Nack, Reject, Recover, Tx, Qos, SelectConfirms)
MANY = 10_000  # publishes of one scenario


class Turn(NamedTuple):
    """One thing that a publisher does: the step, and which of its messages, from 0."""

    step: ScenarioStep
    number: int

    @property
    def publishes(self) -> bool:
        """Whether it sends one message now."""
        action = self.step.action
        return isinstance(action, PublishMany) and not _is_timed(action)


class Stage(NamedTuple):
    """`barrier`: the one step, None: turns by channel, in the order of the channels' coming."""

    barrier: ScenarioStep | None
    turns: dict[str, tuple[Turn, ...]]


def _is_timed(action: PublishMany) -> bool:
    """Whether not all of its messages are sent at once."""
    return bool(action.after_ms or (action.every_ms and action.times > 1))


def stages(scenario: Scenario) -> list[Stage]:
    """Expectations in the midst of the steps are left out: what they say is meant of one course of events."""
    found: list[Stage] = []
    turns: dict[str, list[Turn]] = {}

    def close() -> None:
        if turns:
            found.append(Stage(None, {name: tuple(each) for name, each in turns.items()}))
            turns.clear()

    for step in scenario.steps:
        if isinstance(step.action, Expect):
            continue
        channel = _channel_of(step)
        if channel is not None:
            turns.setdefault(channel, []).extend(_turns(step))
            continue
        close()
        found.append(Stage(step, {}))
    close()
    return found


def publishes(scenario: Scenario) -> int:
    """How many messages the steps publish."""
    return sum(step.action.times for step in scenario.steps if isinstance(step.action, PublishMany))


def _turns(step: ScenarioStep) -> Iterator[Turn]:
    action = step.action
    times = action.times if isinstance(action, PublishMany) and not _is_timed(action) else 1
    for number in range(times):
        yield Turn(step, number)


def _channel_of(step: ScenarioStep) -> str | None:
    """The one channel that the step belongs to; None: all wait for it."""
    action = step.action
    if isinstance(action, PublishMany):
        return action.channel
    if isinstance(action, Wait) or not isinstance(action, Do):
        return None
    channels = {each.channel if isinstance(each, OF_ONE_CHANNEL) else None for each in action.steps}
    return channels.pop() if len(channels) == 1 else None
