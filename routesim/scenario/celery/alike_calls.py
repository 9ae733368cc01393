"""Many calls of one task, which differ in its id and in when it is sent: each message is made when it is looked at, not kept."""

from datetime import datetime
from typing import Any

from routesim.celery.canvas.calling import TaskCall
from routesim.celery.messages import Publish, sent_id
from routesim.celery.sending import Sender, SentTask, send
from routesim.durations import written_duration
from routesim.model import Message
from routesim.named_tuples import NamedTuple
from routesim.scenario.celery.nodes import made
from routesim.scenario.sections import values_of
from routesim.scenario.steps.alike import AlikeStep, LatePublish
from routesim.scenario.yaml.nodes import Mapping, Node


class AlikeCalls:
    """What they have in common. `written`: by whether it publishes the event task-sent, the step that has been written out and
    looked at; the others are like it."""

    def __init__(self, sender: Sender, call: TaskCall, by: str, reply_to: str, epoch: datetime) -> None:
        self.sender = sender
        self.call = call
        self.by = by
        self.reply_to = reply_to
        self.epoch = epoch
        self.written: dict[bool, Mapping] = {}

    def sent(self, id: str, at_ms: int) -> SentTask:
        call = self.call._replace(options={**self.call.options, "task_id": id})
        return send(self.sender, call, id, by=self.by, reply_to=self.reply_to, now=at_ms, epoch=self.epoch)


class AlikePublish(NamedTuple):
    """A publish of one of them at the instant `at_ms`: the task's message, or the event that tells of it. `of`: the task's id."""

    calls: AlikeCalls
    of: str
    event: bool
    at_ms: int

    @property
    def id(self) -> str:
        return sent_id(self.of) if self.event else self.of

    @property
    def task(self) -> str | None:
        return None if self.event else self.of

    @property
    def fields(self) -> Publish:
        """Of the step that publishes it."""
        sent = self.calls.sent(self.of, self.at_ms)
        found = sent.event if self.event else sent.publish
        assert found is not None
        return found

    @property
    def message(self) -> Message:
        return values_of.message(self.fields)


def alike_step(publish: AlikePublish, channel: str, after_ms: int, at: Node) -> Mapping | AlikeStep:
    """The step that publishes it so long from now on: the first of them is written out, for it is looked at."""
    written = publish.calls.written
    first = written.get(publish.event)
    if first is not None:
        return AlikeStep(first, publish, after_ms)
    first = written[publish.event] = written_step(publish, channel, after_ms, at)
    return first


def written_step(publish: LatePublish, channel: str, after_ms: int, at: Node) -> Mapping:
    fields = {**publish.fields, "channel": channel}
    if after_ms:
        fields["after"] = written_duration(after_ms)
    step: Mapping = made({"publish": fields}, at)
    return step


def are_alike(options: dict[str, Any]) -> bool:
    """Whether calls with these options differ by id and instant alone: of a time in the calendar less and less is left."""
    return not any(isinstance(options.get(name), str) for name in ("eta", "expires"))
