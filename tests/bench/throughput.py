"""Messages a second: publish, route, deliver, acknowledge; one queue a message, one ack each."""

from collections.abc import Iterator

from floors import event_loop
from pairs import LongRuns, Work, paired, repeated
from peers import FASTSTREAM, KOMBU, faststream_messages, kombu_messages
from processes import command, generated
from rows import Goal, Row, at_least, duration, missing, per_second
from scale import Scale
from workload import NOWHERE, engine, text

TITLE = "Throughput"
WAITS = "prefetch: 1, takes: 1ms"
LOADS: dict[str, dict[str, str]] = {
    "consumers keep up": {},
    "time passes, consumers keep up": {"consumer": "takes: 1ms", "publish": "every: 1ms"},
    "every message waits for its turn": {"consumer": WAITS},
    "every message waits, nobody consumes": {"consumer": "start: false", "ends": "routed"},
}
SHORT = ("consumers keep up", "time passes, consumers keep up")
FORMATS = {None: "no trace", "ndjson": "ndjson trace", "table": "table trace"}
KEEP_UP: dict[str | None, Goal] = {None: at_least("G2", 15), "ndjson": at_least("G1", 8)}
ALL_WAIT: dict[str | None, Goal] = {None: at_least("G2", 9), "ndjson": at_least("G1", 5)}


def measure(scale: Scale) -> Iterator[Row]:
    kombu = kombu_messages()
    for name, given in LOADS.items():
        goals = ALL_WAIT if name.startswith("every message waits") else KEEP_UP
        for format, shown in FORMATS.items():
            yield beside_kombu(f"{name}, {shown}", engine(format, **given), kombu, goals.get(format), scale)
    for name in SHORT:
        for format, shown in FORMATS.items():
            yield _short_run(f"{name}, {shown}", engine(format, **LOADS[name]), kombu, scale)
    yield against("floor: one function, plain data, no rules", event_loop, kombu, "as fast as kombu", None, scale)
    path = generated("throughput.yaml", text(scale.commanded))
    for shown, arguments, goal in (
        ("ndjson", ("--format", "ndjson", "--output", NOWHERE), KEEP_UP["ndjson"]),
        ("no trace", ("--format", "ndjson", "--quiet"), None),
    ):
        if kombu is not None:
            whole = paired(command("run", path, *arguments), _batch(kombu, scale.commanded // 4), scale)
            what = f"command line, {scale.commanded:,} messages, {shown}, with start-up"
            speed = whole.speed.times(scale.commanded / (scale.commanded // 4))
            yield Row(what, per_second(whole.first_s / scale.commanded), speed, "as fast as kombu", goal)
    faststream = faststream_messages()
    if faststream is None:
        yield missing("FastStream's test broker", f"{FASTSTREAM}[rabbit]")
        return
    work = LongRuns(engine("ndjson"), scale.long)
    yield against("consumers keep up, ndjson trace", work, faststream, "as fast as FastStream", None, scale)


def _batch(work: Work, messages: int) -> Work:
    return lambda units: work(units * messages)


def beside_kombu(what: str, work: Work, kombu: Work | None, goal: Goal | None, scale: Scale) -> Row:
    """Of long runs."""
    return against(what, LongRuns(work, scale.long), kombu, "as fast as kombu", goal, scale)


def _short_run(what: str, work: Work, kombu: Work | None, scale: Scale) -> Row:
    """How long a run takes that is over before it goes by itself, and how many times as fast as kombu is with as many."""
    if kombu is None:
        return missing(what, KOMBU)
    found = paired(repeated(lambda: work(scale.short)), _batch(kombu, scale.short), scale)
    return Row(f"{scale.short} messages, {what}", duration(found.first_s), found.speed, "as fast as kombu")


def against(what: str, work: Work, peer: Work | None, to: str, goal: Goal | None, scale: Scale) -> Row:
    """A row of messages a second and how many times that is the peer's."""
    if peer is None:
        return missing(what, KOMBU)
    found = paired(work, peer, scale)
    return Row(what, per_second(found.first_s), found.speed, to, goal)
