"""From the fields of a step to the engine steps that it stands for, a function a verb (see `verbs`)."""

from collections.abc import Callable
from typing import Any

from routesim import steps
from routesim.replies import CLOSED_BY_CLIENT, REPLY_SUCCESS
from routesim.scenario.format.kinds import Reader
from routesim.scenario.scenario import Action, Do, Expect, NotedChord, PublishMany, Signal, Wait
from routesim.scenario.sections import values_of
from routesim.scenario.sections.declarations import Declarations
from routesim.scenario.sections.expect_section import expectations
from routesim.scenario.sections.names import Names
from routesim.scenario.steps.alike import LatePublish
from routesim.scenario.steps.checks import WrittenStep
from routesim.scenario.yaml.nodes import Node


class StepContext:
    """What the steps of a scenario are built in; `published` counts its messages so far, which are numbered."""

    def __init__(self, reader: Reader, names: Names, declarations: Declarations) -> None:
        self.reader = reader
        self.names = names
        self.declarations = declarations
        self.published = 0


MANY = 10_000_000  # messages of one step
Build = Callable[[StepContext, WrittenStep], Action]

# Names that steps bring ----------------------------------------------------------------------------------------------


def declared_names(context: StepContext, step: WrittenStep) -> None:
    context.declarations.gather(step.fields, step.node)


def channel(context: StepContext, step: WrittenStep) -> None:
    if isinstance(step.fields, dict) and "channel" in step.fields:
        context.names.channels_in_steps.add(str(step.fields["channel"]))


def channel_without_confirms(context: StepContext, step: WrittenStep) -> None:
    """A channel in transaction mode."""
    channel(context, step)
    if "channel" in step.fields:
        channels = context.names.channels
        name = context.names.use_channel(str(step.fields["channel"]))
        channels[name] = channels[name]._replace(confirms=False)


def named_channel(context: StepContext, step: WrittenStep) -> None:
    """Of a step that says nothing but the channel's name, or may do so."""
    fields = step.fields
    if isinstance(fields, dict):
        channel(context, step)
    else:
        context.names.channels_in_steps.add(str(fields))


def ids_and_channel(context: StepContext, step: WrittenStep) -> None:
    """The ids of messages, and of tasks in their headers."""
    channel(context, step)
    names, fields = context.names, step.fields
    headers = fields.get("headers")
    if isinstance(headers, dict) and isinstance(headers.get("id"), str):
        names.task_ids.add(headers["id"])
        if isinstance(headers.get("group"), str):
            names.groups.add(headers["group"])
        _what_follows(names, fields.get("body"))
    count, first = fields.get("count", 1), context.published + 1
    context.published += count
    given = fields.get("id")
    if given is None:
        fresh = names.ids.add_range("m", first, count)
    elif count == 1:
        fresh = names.ids.add(str(given))
    else:
        fresh = names.ids.add_range(f"{given}-", 1, count)
    if not fresh:
        name = f"'{given}'" if given is not None else f"'m{first}', which this step would take"
        _is_taken(context, name, given if given is not None else step.at)


def ids_of_alike(context: StepContext, step: WrittenStep, publish: LatePublish) -> None:
    """The same of a step that is like another one."""
    if publish.task is not None:
        context.names.task_ids.add(publish.task)
    context.published += 1
    if not context.names.ids.add(publish.id):
        _is_taken(context, f"'{publish.id}'", step.node["id"])


def _is_taken(context: StepContext, name: str, at: Node) -> None:
    context.reader.error("duplicate-id", f"another message has the id {name}", at, "choose another id")


def _what_follows(names: Names, body: object) -> None:
    """Tasks that workers will send because the body of a task's message says so."""
    if not isinstance(body, str) or not body.startswith("["):
        return
    # few scenarios need it, and every command is to start at once
    from routesim.celery.canvas.composing import groups_of, signatures_of
    from routesim.celery.canvas.follows import follows_of

    for canvas in follows_of(str(body)).all():
        names.groups.update(groups_of(canvas))
        for signature in signatures_of(canvas):
            names.called.append(signature)
            if "task_id" in signature.options:
                names.task_ids.add(str(signature.options["task_id"]))
                names.ids.add(str(signature.options["task_id"]))


# Messages ------------------------------------------------------------------------------------------------------------


def publish(context: StepContext, step: WrittenStep) -> Action:
    fields, count, given = step.fields, step.fields.get("count", 1), step.fields.get("id")
    if count > MANY and not context.declarations.consumers:
        context.reader.warning(
            "many-messages", f"{count:,} messages: what nobody consumes stays in memory, some 200 bytes each", step.node["count"],
            "a lower `count` shows the same",
        )  # fmt: skip
    first = context.published + 1
    context.published += count
    key = None if fields.get("exchange") else str(fields.get("routing_key", ""))
    channel = context.names.channel_for("publish", key, fields.get("channel"))
    if given is None:
        prefix, start = "m", first
    elif count == 1:
        prefix, start = str(given), None
    else:
        prefix, start = f"{given}-", 1
    every, after = fields.get("every", 0), fields.get("after", 0)
    return PublishMany(channel, values_of.message(fields), prefix, start, count, every, after)


def get(context: StepContext, step: WrittenStep) -> Action:
    fields, queue = step.fields, str(step.fields.get("queue", ""))
    return _do(steps.Get(context.names.channel_for("get", queue, fields.get("channel")), queue, fields.get("auto_ack", False)))


def ack(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.Ack(_channel(context, step), *_delivery(step), message=_message(step)))


def nack(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.Nack(_channel(context, step), *_delivery(step), step.fields.get("requeue", True), _message(step)))


def reject(context: StepContext, step: WrittenStep) -> Action:
    tag, requeue = step.fields.get("delivery_tag", 0), step.fields.get("requeue", True)
    return _do(steps.Reject(_channel(context, step), tag, requeue, _message(step)))


def recover(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.Recover(_channel(context, step), step.fields.get("requeue", True)))


def _channel(context: StepContext, step: WrittenStep) -> str:
    """The channel that `consumer` or `channel` means."""
    if "consumer" in step.fields:
        return context.names.consumer_channels[str(step.fields["consumer"])]
    return context.names.use_channel(str(step.fields["channel"]))


def _delivery(step: WrittenStep) -> tuple[int, bool]:
    return step.fields.get("delivery_tag", 0), step.fields.get("multiple", False)


def _message(step: WrittenStep) -> str | None:
    return str(step.fields["message"]) if "message" in step.fields else None


# Clients -------------------------------------------------------------------------------------------------------------


def qos(context: StepContext, step: WrittenStep) -> Action:
    fields = step.fields
    name = context.names.use_channel(str(fields.get("channel", "")))
    return _do(steps.Qos(name, fields.get("prefetch", 0), fields.get("global", False)))


def tx(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.Tx(str(step.fields.get("channel", "")), str(step.fields.get("do", "select"))))


def start(context: StepContext, step: WrittenStep) -> Action:
    return Signal(str(step.fields), "start") if _is_worker(context, step) else consume(context, step)


def stop(context: StepContext, step: WrittenStep) -> Action:
    return Signal(str(step.fields), "warm") if _is_worker(context, step) else cancel(context, step)


def _is_worker(context: StepContext, step: WrittenStep) -> bool:
    """Consumers and workers may have the same name: then the consumer is meant."""
    return str(step.fields) in context.names.workers and str(step.fields) not in context.declarations.consumers


def consume(context: StepContext, step: WrittenStep) -> Action:
    name = str(step.fields)
    consumer = context.declarations.consumers[name]
    if not step.may_name_anything:
        at = context.declarations.queue_nodes.get(name, step.fields)
        context.names.queue(consumer.queue, at, in_step=True)
    return _do(steps.Consume(consumer))


def cancel(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.Cancel(context.declarations.consumers[str(step.fields)].channel, str(step.fields)))


def crash(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.Crash(context.names.connection_of(str(step.fields))))


def close(context: StepContext, step: WrittenStep) -> Action:
    fields = step.fields if isinstance(step.fields, dict) else {"name": step.fields}
    blamed = str(fields["blamed"]) if "blamed" in fields else None
    return _do(steps.Close(context.names.connection_of(str(fields["name"])), *_said(fields), blamed))


def _said(fields: dict[str, Any]) -> tuple[int, str]:
    """The reply code and its text; of the client itself where nothing is given."""
    if "code" not in fields:
        return REPLY_SUCCESS, CLOSED_BY_CLIENT
    return fields["code"], str(fields.get("text", ""))


def open_channel(context: StepContext, step: WrittenStep) -> Action:
    plan = context.names.channels[context.names.use_channel(str(step.fields))]
    made: list[steps.Step] = [steps.OpenChannel(plan.name, plan.connection)]
    if plan.confirms:
        made.append(steps.SelectConfirms(plan.name))
    if plan.prefetch:
        made.append(steps.Qos(plan.name, plan.prefetch, True))
    return Do(tuple(made))


def close_channel(context: StepContext, step: WrittenStep) -> Action:
    fields = step.fields if isinstance(step.fields, dict) else {"channel": step.fields}
    return _do(steps.CloseChannel(context.names.use_channel(str(fields["channel"])), *_said(fields)))


def confirm(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.SelectConfirms(context.names.use_channel(str(step.fields))))


def flow(context: StepContext, step: WrittenStep) -> Action:
    fields = step.fields
    return _do(steps.Flow(context.names.use_channel(str(fields.get("channel", ""))), fields.get("active", True)))


def restart(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.Restart(step.fields != "kill"))


def chord(context: StepContext, step: WrittenStep) -> Action:
    return NotedChord(str(step.fields.get("group", "")), step.fields.get("size", 0))


def worker(context: StepContext, step: WrittenStep) -> Action:
    return Signal(str(step.fields["name"]), str(step.fields["do"]))


# Topology ------------------------------------------------------------------------------------------------------------


def declare(context: StepContext, step: WrittenStep) -> Action:
    items = context.declarations.steps_of(step.fields, step.node, check_names=not step.may_name_anything, in_step=True)
    return Do(tuple(item.step for item in items))


def delete(context: StepContext, step: WrittenStep) -> Action:
    fields, names = step.fields, context.names
    if_unused = fields.get("if_unused", False)
    if "policy" in fields:
        name, declarations = str(fields["policy"]), context.declarations
        operator = name in declarations.operator_policies and name not in declarations.user_policies
        return _do(steps.DeletePolicy(name, operator))
    if "exchange" in fields:
        channel = names.channel_for("declare", None, fields.get("channel"))
        return _do(steps.DeleteExchange(channel, str(fields["exchange"]), if_unused))
    name = str(fields["queue"])
    channel = names.channel_for("declare", name, fields.get("channel"))
    return _do(steps.DeleteQueue(channel, name, if_unused, fields.get("if_empty", False)))


def binds(kind: type[steps.Bind | steps.Unbind]) -> Build:
    def build(context: StepContext, step: WrittenStep) -> Action:
        names = not step.may_name_anything
        return _do(context.declarations.binding_step(step.fields, kind, check_names=names, in_step=True))

    return build


def purge(context: StepContext, step: WrittenStep) -> Action:
    fields = step.fields if isinstance(step.fields, dict) else {"queue": step.fields}
    name = str(fields.get("queue", ""))
    return _do(steps.Purge(context.names.channel_for("declare", name, fields.get("channel")), name))


def expire(context: StepContext, step: WrittenStep) -> Action:
    return _do(steps.Expire(str(step.fields)))


# Beside the broker ---------------------------------------------------------------------------------------------------


def wait(context: StepContext, step: WrittenStep) -> Action:
    return Wait(step.fields)


def expect(context: StepContext, step: WrittenStep) -> Action:
    return Expect(expectations(context.reader, context.names, step.node, step.fields))


def _do(step: steps.Step) -> Do:
    return Do((step,))
