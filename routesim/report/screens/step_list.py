"""The steps of a scenario as they are written, for the room that a high screen leaves: which are over, which is next."""

from collections.abc import Sequence

from routesim.scenario import ScenarioStep
from routesim.tables import PLAIN, QUIET


def step_told(step: ScenarioStep) -> str:
    """The line and text of a step; one that was put into the run has no line."""
    return f"{f', line {step.line}' if step.line else ''}: {step.text}"


def step_lines(steps: Sequence[ScenarioStep], begun: int, most: int, more: str) -> list[tuple[str, str]]:
    """At most so many lines, each with its tone: the step that is going on is marked, `begun` is its number, 0 before the first;
    as many before it as there is room for behind it. `more` stands where steps are left out."""
    if most < 2 or not steps:
        return []
    room = most - 1
    first, last = 0, len(steps)
    if last > room:
        first = min(max(begun - 1 - room // 3, 0), last - room)
        last = first + room
    lines = [("steps", QUIET)]
    for number in range(first, last):
        text = f"{'>' if number == begun - 1 else ' '} {number + 1}{step_told(steps[number])}"
        left_out = (number == first and first > 0) or (number == last - 1 and last < len(steps))
        lines.append(
            (f"  {more}" if left_out and number != begun - 1 else text, QUIET if number < begun - 1 or left_out else PLAIN)
        )
    return lines
