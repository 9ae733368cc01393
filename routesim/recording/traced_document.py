"""What a firehose told, as the text of a scenario: publishes at their times, consumers that answer as they seem to have answered,
and at its head what was inferred.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from routesim.durations import written_duration
from routesim.named_tuples import NamedTuple
from routesim.recording.forms import Form, Forms
from routesim.recording.inferring import Inferred, InferredAnswer, TracedDelivery, TracedPublish, message_of
from routesim.recording.recorder import body_kept
from routesim.recording.redacting import Redaction
from routesim.recording.sayable import sayable
from routesim.run.folds.fold import fan_out
from routesim.run.folds.records import Deliveries
from routesim.run.runner import Runner
from routesim.scenario import load_source
from routesim.scenario.topology_data import DeclaredTopology, scenario_sections, table
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import Bare, WrittenItem, text

FINENESS_MS = 100
MOST_SAID = 50


class TracedRecording(NamedTuple):
    """`where`: the broker and its virtual host, in words; `owned`: queues of one connection, which are none here."""

    where: str
    topology: DeclaredTopology
    found: Inferred
    lasted_ms: int
    missed: bool
    owned: tuple[str, ...] = ()


class TracedOptions(NamedTuple):
    bodies: bool
    redaction: Redaction


def traced_document(trace: TracedRecording, options: TracedOptions) -> str:
    """The text of the scenario; it expects what its run and the broker agree about."""
    answers = trace.found.answers()
    declared = scenario_sections(trace.topology)
    sections = {
        **declared,
        "bindings": list(declared["bindings"]),  # they are written twice
        "channels": _channels(trace.found),
        "consumers": _consumers(trace.found, answers),
        "steps": [WrittenItem("", None, step) for step in _steps(trace, options)],
        "until": "steps",
    }
    told = Counter(item.consumer for item in trace.found.deliveries if item.consumer is not None)
    here = _delivered_here(text(sections))
    agreed = {name: {"delivered": told[name]} for name in sections["consumers"] if here[name] == told[name]}
    unlike = [
        f"{name} got {told[name]} there, and gets {here[name]} here" for name in sections["consumers"] if name not in agreed
    ]
    return text({**sections, "expect": {"consumers": agreed} if agreed else {}}, _head(trace, options, answers, unlike))


def _delivered_here(written: str) -> Counter[str]:
    deliveries = Deliveries(())
    Runner(load_source(Source("recorded.yaml", written), ""), fan_out(None, [deliveries]), keep=False, express=False).run()
    return Counter({name: len(found) for name, found in deliveries.of.items()})


# Sections ----------------------------------------------------------------------------------------------------------------


def _channels(found: Inferred) -> dict[str, Form]:
    names = dict.fromkeys(
        [item.channel for item in found.publishes] + [item.channel for item in found.deliveries if item.consumer is None]
    )
    names |= dict.fromkeys(_channel_of(found, name) for name in found.consumers)
    return {name: {"connection": name.rpartition("#")[0]} for name in names}


def _channel_of(found: Inferred, consumer: str) -> str:
    return f"{consumer.rpartition('/')[0]}#{found.consumers[consumer].channel}"


def _consumers(found: Inferred, answers: Sequence[InferredAnswer]) -> dict[str, Form]:
    rules: dict[str, list[Form]] = defaultdict(list)
    for delivery, do, _ in answers:
        if delivery.consumer is not None:
            rules[delivery.consumer].append({"message": delivery.message, "attempt": delivery.attempt, "do": do})
    made = {}
    for name, item in found.consumers.items():
        form: Form = {"queue": item.queue, "channel": _channel_of(found, name)}
        if item.prefetch:
            form["prefetch"] = item.prefetch
        form |= {key: True for key in ("auto_ack", "exclusive") if getattr(item, key)}
        if item.arguments:
            form["arguments"] = table(sayable(item.arguments))
        made[name] = form | ({"on_message": rules[name]} if rules[name] else {})
    return made


def _steps(trace: TracedRecording, options: TracedOptions) -> Iterator[Form]:
    found = trace.found
    forms = Forms(sizes=True)
    for item in found.before:
        yield {"publish": _message(forms, options, item)}
    happened: list[tuple[int, TracedPublish | TracedDelivery]] = [(item.event.at_ms, item) for item in found.publishes]
    happened += [(item.at_ms, item) for item in found.deliveries if item.consumer is None]
    now = 0
    for at_ms, each in sorted(happened, key=lambda pair: pair[0]):
        instant = at_ms // FINENESS_MS * FINENESS_MS
        if instant > now:
            yield {"wait": Bare(written_duration(instant - now))}
            now = instant
        if isinstance(each, TracedPublish):
            yield {"publish": _message(forms, options, each) | {"channel": each.channel}}
        else:
            yield {"get": {"queue": each.queue, "channel": each.channel, "auto_ack": True}}
    if trace.lasted_ms > now:
        yield {"wait": Bare(written_duration(trace.lasted_ms - now))}


def _message(forms: Forms, options: TracedOptions, item: TracedPublish) -> Form:
    event = item.event
    body = body_kept(event.body, whole=options.bodies)
    message = message_of(event, body)
    redaction = options.redaction
    private = message._replace(headers=redaction.headers(message.headers), properties=redaction.properties(message.properties))
    return forms.message(sayable(private), item.id)


# The head ----------------------------------------------------------------------------------------------------------------


def _head(
    trace: TracedRecording, options: TracedOptions, answers: Sequence[InferredAnswer], unlike: Sequence[str]
) -> Iterator[str]:
    found = trace.found
    publishes, deliveries = len(found.publishes), len(found.deliveries)
    yield f"Recorded from {trace.where} by its firehose: {publishes} publishes and {deliveries} deliveries in {_lasted(trace)}."
    if not options.bodies:
        yield "Bodies are left out, their sizes are kept."
    if options.redaction.names:
        yield f"A word stands in for each value of {', '.join(sorted(options.redaction.names))}."
    if trace.missed:
        yield "More came than the queue of the recording holds: something is missing."
    yield ""
    yield "Inferred, for a firehose tells of no answers:"
    yield from _said(
        f"  {item.delivery.message}, delivery {item.delivery.attempt} to {item.delivery.consumer or item.delivery.channel}: "
        f"{item.do}, for {item.why}"
        for item in answers
    )
    yield f"  {'all other' if answers else 'all'} deliveries are taken as acknowledged at once"
    yield from _said(f"  {item.id} was there before: it is published to {item.event.routing_key} first" for item in found.before)
    yield from _said(f"  queue {name} belongs to one connection there, and to nobody here" for name in trace.owned)
    if any(item.consumer is None for item in found.deliveries):
        yield "  what no known consumer got was fetched (basic.get)"
    if unlike:
        yield "In this the run of this file is not as it was:"
        yield from _said(f"  {item}" for item in unlike)
    yield ""


def _said(lines: Iterator[str] | Any) -> Iterator[str]:
    found = list(lines)
    yield from found[:MOST_SAID]
    if len(found) > MOST_SAID:
        yield f"  and {len(found) - MOST_SAID} more like it"


def _lasted(trace: TracedRecording) -> str:
    return written_duration(max(trace.lasted_ms // 1000, 1) * 1000)
