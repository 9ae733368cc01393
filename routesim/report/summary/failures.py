"""A failure as lines of text: the same in a summary, in a CI report and in pytest."""

from routesim.explain.failures import RunFailure
from routesim.text import visible


def place_of(failure: RunFailure) -> str:
    return f"{visible(failure.file)}:{failure.line}" if failure.line else visible(failure.file)


def failure_lines(failure: RunFailure) -> list[str]:
    """Where and what was expected; indented, what was found and why."""
    lines = [f"{place_of(failure)}: {visible(failure.expected)}"]
    lines += [f"  {name:<9}{visible(text)}" for name, text in (("found", failure.found), ("because", failure.why)) if text]
    return lines
