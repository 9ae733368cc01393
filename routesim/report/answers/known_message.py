"""What is known of a message of a server's clients."""

from collections.abc import Iterator

from routesim.explain.message import story
from routesim.narration import sentence_of
from routesim.report.formats.plain import section_lines
from routesim.serve.history import Known
from routesim.text import visible


def lines_of(known: Known, *, colour: bool) -> Iterator[str]:
    """Where it is or was last, and its life, an event a line."""
    ended = ", ".join(f"{state} in {queue}" for queue, state in known.states.items()) or "in no queue"
    yield visible(f"{known.name}: {ended}")
    yield from section_lines(story([each for each in known.life if sentence_of(each)]), colour=colour)
    if known.left_out:
        yield f"  {known.left_out} events in the middle are forgotten"
