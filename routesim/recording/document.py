"""A recording as the sections of a scenario, for the one writer that there is."""

from collections.abc import Iterator
from typing import Any

from routesim import steps
from routesim.broker import Broker
from routesim.durations import written_duration
from routesim.model import BrokerSettings, Consumer
from routesim.queues.arguments import ARGUMENTS
from routesim.recording.drafts import RecordingDraft, plans
from routesim.recording.endings import expected
from routesim.recording.forms import Form, Forms
from routesim.recording.recorder import ClientRecorder, Sized
from routesim.recording.shaping import shaped
from routesim.recording.trials import Trial, tried
from routesim.scenario import Scenario
from routesim.scenario.topology_data import scenario_sections, table, topology_of
from routesim.scenario.yaml.writing import Bare, OneLine, WrittenItem, text

LARGE = 1 << 20  # bytes of a body: some broker may refuse it


def document(recorder: ClientRecorder, given: Scenario) -> str:
    """The text of the scenario. `given`: what was there from the beginning."""
    found = shaped(given, recorder.taken, recorder.lasted_ms())
    sizes = recorder.bodies or _sizes_matter(found.draft)
    forms = Forms(sizes=sizes)
    written: dict[int, Form] = {}

    def look(number: int | None, broker: Broker) -> None:
        if number is not None:
            step, code = found.draft.taken[number].step, found.draft.taken[number].refused
            written[number] = forms.of(step, broker) | ({} if code is None else {"fails": code})

    trial = tried(found.draft, look)
    return text(_sections(found.draft, trial, written), _head(recorder, sizes=sizes))


def _sections(draft: RecordingDraft, trial: Trial, written: dict[int, Form]) -> dict[str, Any]:
    scenario = trial.result.scenario
    sections = scenario_sections(topology_of(scenario))
    settings = _settings(scenario.settings)
    if settings:
        sections["broker"] = OneLine({**(sections["broker"].value if "broker" in sections else {}), **settings})
    if scenario.seed:
        sections["seed"] = scenario.seed
    channels = {name: {"connection": plan.connection, "confirms": False} for name, plan in plans(draft.taken).items()}
    return {
        **{name: sections.pop(name) for name in ("rabbitmq", "vhost", "seed", "broker") if name in sections},
        **sections,
        "channels": channels,
        "consumers": {name: _consumer(consumer) for name, consumer in scenario.consumers.items()},
        "steps": [WrittenItem("", None, step) for step in _steps(draft, scenario, written)],
        "until": "steps",
        "expect": expected(draft, trial),
    }


def _steps(draft: RecordingDraft, scenario: Scenario, written: dict[int, Form]) -> Iterator[Form]:
    _, origins = draft.scenario()
    for step, number in zip(scenario.steps, origins, strict=True):
        if number is not None:
            yield written[number]
            continue
        wait: Any = step.action
        yield {"wait": Bare(written_duration(wait.ms)), **({} if step.fails is None else {"fails": step.fails})}


def _consumer(consumer: Consumer) -> Form:
    arguments = dict(consumer.arguments)
    form: Form = {"queue": consumer.queue, "channel": consumer.channel}
    if consumer.exclusive:
        form["exclusive"] = True
    if arguments:
        form["arguments"] = table(arguments)
    form["start"] = False
    return form | ({"auto_ack": True} if consumer.auto_ack else {"on_message": "hold"})


def _settings(settings: BrokerSettings) -> Form:
    found: Form = {}
    if settings.consumer_timeout is not None:
        found["consumer_timeout"] = Bare(written_duration(settings.consumer_timeout))
    if settings.max_message_size is not None:
        found["max_message_size"] = settings.max_message_size
    return found


def _sizes_matter(draft: RecordingDraft) -> bool:
    """Whether a limit in bytes may see how large a message is."""
    in_bytes = {name for name in ARGUMENTS if name.endswith("-bytes")}
    keys = {name.removeprefix("x-") for name in in_bytes}
    if draft.given.settings.max_message_size is not None:
        return True
    for step in (*(item.step for item in draft.given.declarations), *(item.step for item in draft.taken)):
        if isinstance(step, steps.DeclareQueue) and in_bytes & step.queue.arguments.keys():
            return True
        if isinstance(step, steps.SetPolicy) and keys & step.policy.definition.keys():
            return True
        if isinstance(step, steps.Publish) and isinstance(step.message.body, Sized) and len(step.message.body) >= LARGE:
            return True
    return False


def _head(recorder: ClientRecorder, *, sizes: bool) -> Iterator[str]:
    yield "Recorded by `routesim serve --record`. `routesim run` repeats it."
    if recorder.bodies:
        yield "Of bodies that are no text the size is kept."
    else:
        yield f"Bodies are left out{', their sizes are kept: a limit in bytes sees them' if sizes else ''}."
    if recorder.redaction.names:
        yield f"A word stands in for each value of {', '.join(sorted(recorder.redaction.names))}."
