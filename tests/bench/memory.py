"""Memory: a message that waits, a binding, and a run that streams its trace."""

from collections.abc import Iterator

from peers import KOMBU, installed
from processes import child, generated
from rows import Goal, Row, at_most, missing
from scale import Scale
from vocabulary import vocabulary
from workload import NOWHERE, text

TITLE = "Memory"
MIB = 2**20
# Times a dict's entry: 9.4 where 1,000,000 bindings took 5.2 s, of which 2.5 s are aimed at.
BINDING = 4.5


def measure(scale: Scale) -> Iterator[Row]:
    waiting = child("backlog", str(scale.backlog))["bytes"]
    peer = child("kombu-backlog", str(scale.backlog))["bytes"] if installed(KOMBU) else None
    yield size(f"a message that waits ({scale.backlog:,} of one body)", waiting, at_most("G7, bytes", 160))
    if peer is None:
        yield missing("a message that waits in kombu", KOMBU)
    else:
        yield Row("a message that waits in kombu", _bytes(peer), peer / waiting if waiting else None, "the memory here")
    found = vocabulary(scale.large, draws=1)
    path = generated("bindings.tsv", "".join(f"{pattern}\t{queue}\n" for pattern, queue in found.bindings))
    del found
    for question, what in (("bind-matcher", "in a topic exchange"), ("bind-broker", "in a whole broker")):
        answer = child(question, path)
        goals = {"bind-broker": (at_most("G6, bytes", 300), at_most("G6", BINDING))}.get(question, (None, None))
        yield size(f"a binding {what} ({scale.large:,}), all counted", answer["bytes"], goals[0])
        seconds = answer["seconds"]
        cost = seconds / answer["floor_s"] if answer["floor_s"] else None
        yield Row(f"{scale.large:,} bindings {what}", f"{seconds:.2f} s", cost, "the time of dict entries", goals[1])
    peaks = []
    for messages in (scale.few, scale.many):
        scenario = generated(f"stream-{messages}.yaml", text(messages))
        peaks.append(child("command", "run", scenario, "--format", "ndjson", "--output", NOWHERE)["bytes"])
        yield mib(f"peak of a traced run of {messages:,} messages", peaks[-1], None)
    growth = None if None in peaks else peaks[1] - peaks[0]
    yield mib("growth between the two", growth, at_most("G7, MiB", 1))


def _bytes(value: float) -> str:
    return f"{value:,.0f} bytes"


def size(what: str, value: float | None, goal: Goal | None) -> Row:
    return Row(what, "not known here" if value is None else _bytes(value), goal=goal, value=value)


def mib(what: str, value: float | None, goal: Goal | None) -> Row:
    return Row(
        what,
        "not known here" if value is None else f"{value / MIB:.2f} MiB",
        goal=goal,
        value=None if value is None else value / MIB,
    )
