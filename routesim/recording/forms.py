"""Each step as a scenario writes it: one function a kind, in one table."""

from collections.abc import Callable
from typing import Any

from routesim import steps
from routesim.broker import Broker
from routesim.model import Message
from routesim.recording.recorder import Sized
from routesim.replies import REPLY_SUCCESS
from routesim.scenario.topology_data import binding_form, exchange_form, policy_form, queue_form, table
from routesim.steps import Step
from routesim.values import raw

Form = dict[str, Any]


class Forms:
    """`sizes`: whether the size of a body matters where the body is not known."""

    def __init__(self, *, sizes: bool) -> None:
        self.sizes = sizes

    def of(self, step: Step, broker: Broker) -> Form:
        """The step, which `broker` is about to carry out."""
        return _FORMS[type(step)](self, step, broker)

    def publish(self, step: steps.Publish, broker: Broker) -> Form:
        return {"publish": self.message(step.message, step.id) | {"channel": step.channel}}

    def message(self, message: Message, id: str) -> Form:
        form: Form = {"exchange": message.exchange} if message.exchange else {}
        form |= {"routing_key": message.routing_key, "id": id}
        if not isinstance(message.body, Sized):
            form |= {"body": message.body} if message.body else {}
        elif self.sizes:
            form["size"] = len(message.body)
        if message.headers is not None:
            form["headers"] = table(message.headers)
        optional = {"priority": message.priority, "expiration": message.expiration}
        form |= {name: value for name, value in optional.items() if value is not None}
        if message.delivery_mode != 2:
            form["delivery_mode"] = message.delivery_mode
        if message.mandatory:
            form["mandatory"] = True
        properties = {name: raw(value) for name, value in message.properties.items()}
        return form | {name: value for name, value in properties.items() if (name, value) != ("message_id", id)}


def _answer(verb: str) -> Callable[[Forms, Any, Broker], Form]:
    def form(forms: Forms, step: Any, broker: Broker) -> Form:
        found: Form = _whose(step, broker)
        if getattr(step, "multiple", False):
            found["multiple"] = True
        if not getattr(step, "requeue", True):
            found["requeue"] = False
        return {verb: found}

    return form


def _whose(step: Any, broker: Broker) -> Form:
    """The delivery that is answered: by its message, where that is enough, else by its tag."""
    channel, tag = broker.channels.get(step.channel), step.delivery_tag
    delivery = channel.unacked.get(tag) if channel is not None else None
    if channel is None or delivery is None:
        return {"channel": step.channel} | ({} if tag == 0 and getattr(step, "multiple", False) else {"delivery_tag": tag})
    message = delivery.copy.message
    newest = next(item for item in reversed(channel.unacked.values()) if item.copy.message == message)
    owner = delivery.subscription
    who = {"channel": step.channel} if owner is None else {"consumer": owner.name}
    return who | ({"message": message} if newest.tag == tag else {"delivery_tag": tag})


def _get(forms: Forms, step: steps.Get, broker: Broker) -> Form:
    return {"get": {"queue": step.queue, "channel": step.channel, **({"auto_ack": True} if step.auto_ack else {})}}


def _recover(forms: Forms, step: steps.Recover, broker: Broker) -> Form:
    return {"recover": {"channel": step.channel, **({} if step.requeue else {"requeue": False})}}


def _qos(forms: Forms, step: steps.Qos, broker: Broker) -> Form:
    whole = {"global": True} if step.whole_channel else {}
    return {"qos": {"channel": step.channel, "prefetch": step.prefetch, **whole}}


def _close(forms: Forms, step: steps.Close, broker: Broker) -> Form:
    if step.code == REPLY_SUCCESS:
        return {"close": step.connection}
    blamed = {} if step.fault_of is None else {"blamed": step.fault_of}
    return {"close": {"name": step.connection, "code": step.code, "text": step.text, **blamed}}


def _close_channel(forms: Forms, step: steps.CloseChannel, broker: Broker) -> Form:
    if step.code == REPLY_SUCCESS:
        return {"close_channel": step.channel}
    return {"close_channel": {"channel": step.channel, "code": step.code, "text": step.text}}


def _declares(section: str, name: str, form: Any, channel: str) -> Form:
    return {"declare": {section: {name: form}, "channel": channel}}


def _binds(verb: str) -> Callable[[Forms, Any, Broker], Form]:
    return lambda forms, step, broker: {verb: binding_form(step.binding) | {"channel": step.channel}}


def _delete_exchange(forms: Forms, step: steps.DeleteExchange, broker: Broker) -> Form:
    unused = {"if_unused": True} if step.if_unused else {}
    return {"delete": {"exchange": step.exchange, **unused, "channel": step.channel}}


def _delete_queue(forms: Forms, step: steps.DeleteQueue, broker: Broker) -> Form:
    only = {name: True for name in ("if_unused", "if_empty") if getattr(step, name)}
    return {"delete": {"queue": step.queue, **only, "channel": step.channel}}


_FORMS: dict[type, Callable[[Forms, Any, Broker], Form]] = {
    steps.Publish: Forms.publish,
    steps.Get: _get,
    steps.Ack: _answer("ack"),
    steps.Nack: _answer("nack"),
    steps.Reject: _answer("reject"),
    steps.Recover: _recover,
    steps.Qos: _qos,
    steps.Tx: lambda forms, step, broker: {"tx": {"channel": step.channel, "do": step.do}},
    steps.Consume: lambda forms, step, broker: {"consume": step.consumer.name},
    steps.Cancel: lambda forms, step, broker: {"cancel": step.consumer},
    steps.Crash: lambda forms, step, broker: {"crash": step.connection},
    steps.Close: _close,
    steps.Restart: lambda forms, step, broker: {"restart": "clean" if step.clean else "kill"},
    steps.OpenChannel: lambda forms, step, broker: {"open": step.channel},
    steps.CloseChannel: _close_channel,
    steps.Flow: lambda forms, step, broker: {"flow": {"channel": step.channel, "active": step.active}},
    steps.SelectConfirms: lambda forms, step, broker: {"confirm": step.channel},
    steps.DeclareExchange: lambda forms, step, broker: _declares(
        "exchanges", step.exchange.name, exchange_form(step.exchange), step.channel
    ),
    steps.DeclareQueue: lambda forms, step, broker: _declares("queues", step.queue.name, queue_form(step.queue), step.channel),
    steps.AskExchange: lambda forms, step, broker: _declares("exchanges", step.exchange, {"passive": True}, step.channel),
    steps.AskQueue: lambda forms, step, broker: _declares("queues", step.queue, {"passive": True}, step.channel),
    steps.Bind: _binds("bind"),
    steps.Unbind: _binds("unbind"),
    steps.DeleteExchange: _delete_exchange,
    steps.DeleteQueue: _delete_queue,
    steps.Expire: lambda forms, step, broker: {"expire": step.queue},
    steps.SetPolicy: lambda forms, step, broker: {
        "declare": {"operator_policies" if step.policy.operator else "policies": [policy_form(step.policy)]}
    },
    steps.DeletePolicy: lambda forms, step, broker: {"delete": {"policy": step.name}},
    steps.Purge: lambda forms, step, broker: {"purge": {"queue": step.queue, "channel": step.channel}},
}  # fmt: skip
