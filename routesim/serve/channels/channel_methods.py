"""The methods of a channel: each to a step of the engine, and the engine's answer to the client. One table."""

from collections.abc import Callable
from typing import Any, Protocol

from routesim import steps
from routesim.broker.rabbit_broker import RabbitBroker
from routesim.model import Binding, Consumer, Exchange, Queue
from routesim.queues import Delivery
from routesim.serve.faults import Fault, fault_of
from routesim.serve.vhosts import Vhost

Arguments = dict[str, Any]


class Asks(Protocol):
    """A channel of a client, as far as its methods need it. `owner`: the name of its connection."""

    name: str
    owner: str
    vhost: Vhost
    broker: RabbitBroker
    confirming: bool

    def ask(self, name: str, step: steps.Step) -> bool:
        """Ask the engine on behalf of a method; False where it refuses, of which the client has been told then."""

    def say(self, name: str, **arguments: Any) -> None: ...

    def got(self, delivery: Delivery[Any], left: int) -> None: ...

    def knows(self, tag: str) -> bool:
        """Whether a consumer has, or had until the broker cancelled it, that tag."""

    def forget(self) -> None:
        """The channel is closed, its number is free."""


def _simply(channel: Asks, name: str, step: steps.Step, *, nowait: bool = False) -> None:
    """A step whose only answer is that it was carried out."""
    if channel.ask(name, step) and not nowait:
        channel.say(f"{name}-ok")


# Exchanges and bindings --------------------------------------------------------------------------------------------


def exchange_declare(channel: Asks, given: Arguments) -> None:
    name = given["exchange"]
    step: steps.Step
    if given["passive"]:
        step = steps.AskExchange(channel.name, name)
    else:
        exchange = Exchange(
            name, given["exchange_type"], given["durable"], given["auto_delete"], given["internal"], given["arguments"]
        )
        step = steps.DeclareExchange(channel.name, exchange)
    _simply(channel, "exchange.declare", step, nowait=given["nowait"])


def exchange_delete(channel: Asks, given: Arguments) -> None:
    step = steps.DeleteExchange(channel.name, given["exchange"], given["if_unused"])
    _simply(channel, "exchange.delete", step, nowait=given["nowait"])


def exchange_bind(channel: Asks, given: Arguments) -> None:
    step = steps.Bind(channel.name, _to_exchange(given))
    _simply(channel, "exchange.bind", step, nowait=given["nowait"])


def exchange_unbind(channel: Asks, given: Arguments) -> None:
    step = steps.Unbind(channel.name, _to_exchange(given))
    _simply(channel, "exchange.unbind", step, nowait=given["nowait"])


def _to_exchange(given: Arguments) -> Binding:
    return Binding(given["source"], given["destination"], "exchange", given["routing_key"], given["arguments"])


def _to_queue(given: Arguments) -> Binding:
    return Binding(given["exchange"], given["queue"], "queue", given["routing_key"], given["arguments"])


# Queues ------------------------------------------------------------------------------------------------------------


def queue_declare(channel: Asks, given: Arguments) -> None:
    name = given["queue"]
    step: steps.Step
    if given["passive"]:
        step = steps.AskQueue(channel.name, name)
    else:
        queue = Queue(
            name, given["durable"], given["exclusive"], given["auto_delete"], given["arguments"],
            server_named=not name.strip("\r\n"),
        )  # fmt: skip
        step = steps.DeclareQueue(channel.name, queue)
    if channel.ask("queue.declare", step) and not given["nowait"]:
        answer = channel.broker.answer
        assert answer is not None
        channel.say("queue.declare-ok", queue=answer.queue, message_count=answer.messages, consumer_count=answer.consumers)


def queue_bind(channel: Asks, given: Arguments) -> None:
    _simply(channel, "queue.bind", steps.Bind(channel.name, _to_queue(given)), nowait=given["nowait"])


def queue_unbind(channel: Asks, given: Arguments) -> None:
    _simply(channel, "queue.unbind", steps.Unbind(channel.name, _to_queue(given)))


def queue_purge(channel: Asks, given: Arguments) -> None:
    _counted(channel, "queue.purge", steps.Purge(channel.name, given["queue"]), given)


def queue_delete(channel: Asks, given: Arguments) -> None:
    step = steps.DeleteQueue(channel.name, given["queue"], given["if_unused"], given["if_empty"])
    _counted(channel, "queue.delete", step, given)


def _counted(channel: Asks, name: str, step: steps.Step, given: Arguments) -> None:
    if channel.ask(name, step) and not given["nowait"]:
        answer = channel.broker.answer
        assert answer is not None
        channel.say(f"{name}-ok", message_count=answer.messages)


# Messages ----------------------------------------------------------------------------------------------------------


def basic_qos(channel: Asks, given: Arguments) -> None:
    if given["prefetch_size"]:
        raise fault_of("basic.qos", 540, f"prefetch_size!=0 ({given['prefetch_size']})")
    _simply(channel, "basic.qos", steps.Qos(channel.name, given["prefetch_count"], given["global"]))


def basic_consume(channel: Asks, given: Arguments) -> None:
    tag = given["consumer_tag"] or channel.broker.consumer_tag()
    consumer = Consumer(
        f"{channel.owner}/{tag}", given["queue"], channel.name, auto_ack=given["no_ack"],
        exclusive=given["exclusive"], arguments=given["arguments"], tag=tag,
    )  # fmt: skip
    if channel.ask("basic.consume", steps.Consume(consumer)) and not given["nowait"]:
        channel.say("basic.consume-ok", consumer_tag=tag)


def basic_cancel(channel: Asks, given: Arguments) -> None:
    tag = given["consumer_tag"]
    if channel.ask("basic.cancel", steps.Cancel(channel.name, tag)) and not given["nowait"]:
        channel.say("basic.cancel-ok", consumer_tag=tag)


def basic_cancel_ok(channel: Asks, given: Arguments) -> None:
    if not channel.broker.rules.cancel_ok_taken:
        raise fault_of("basic.cancel-ok", 503, "unimplemented method")
    if not channel.knows(given["consumer_tag"]):  # RabbitMQ 4.3.6 crashes
        raise Fault(541, "INTERNAL_ERROR")
    channel.ask("basic.cancel-ok", steps.Cancel(channel.name, given["consumer_tag"]))


def basic_get(channel: Asks, given: Arguments) -> None:
    if not channel.ask("basic.get", steps.Get(channel.name, given["queue"], given["no_ack"])):
        return
    delivery, answer = channel.broker.handed, channel.broker.answer
    if delivery is None or answer is None:
        channel.say("basic.get-empty")
    else:
        channel.got(delivery, answer.messages)


def basic_ack(channel: Asks, given: Arguments) -> None:
    channel.ask("basic.ack", steps.Ack(channel.name, given["delivery_tag"], given["multiple"]))


def basic_nack(channel: Asks, given: Arguments) -> None:
    channel.ask("basic.nack", steps.Nack(channel.name, given["delivery_tag"], given["multiple"], given["requeue"]))


def basic_reject(channel: Asks, given: Arguments) -> None:
    channel.ask("basic.reject", steps.Reject(channel.name, given["delivery_tag"], given["requeue"]))


def basic_recover(channel: Asks, given: Arguments) -> None:
    _simply(channel, "basic.recover", steps.Recover(channel.name, given["requeue"]))


def basic_recover_async(channel: Asks, given: Arguments) -> None:
    channel.ask("basic.recover-async", steps.Recover(channel.name, given["requeue"]))


# The channel itself ------------------------------------------------------------------------------------------------


def channel_open(channel: Asks, given: Arguments) -> None:
    raise fault_of("channel.open", 504, "second 'channel.open' seen")


def channel_close(channel: Asks, given: Arguments) -> None:
    channel.vhost.dispatch()
    channel.vhost.apply(steps.CloseChannel(channel.name))
    channel.forget()
    channel.say("channel.close-ok")


def channel_flow(channel: Asks, given: Arguments) -> None:
    if not given["active"]:
        raise fault_of("channel.flow", 540, "active=false")
    channel.say("channel.flow-ok", active=True)


def confirm_select(channel: Asks, given: Arguments) -> None:
    if channel.ask("confirm.select", steps.SelectConfirms(channel.name)):
        channel.confirming = True
        if not given["nowait"]:
            channel.say("confirm.select-ok")


def _tx(do: str) -> Callable[[Asks, Arguments], None]:
    name = f"tx.{do}"

    def carry_out(channel: Asks, given: Arguments) -> None:
        if channel.ask(name, steps.Tx(channel.name, do)):
            channel.vhost.dispatch_told()
            channel.say(f"{name}-ok")

    return carry_out


def access_request(channel: Asks, given: Arguments) -> None:
    channel.say("access.request-ok", ticket=1)


METHODS: dict[str, Callable[[Asks, Arguments], None]] = {
    "channel.open": channel_open,
    "channel.close": channel_close,
    "channel.flow": channel_flow,
    "access.request": access_request,
    "exchange.declare": exchange_declare,
    "exchange.delete": exchange_delete,
    "exchange.bind": exchange_bind,
    "exchange.unbind": exchange_unbind,
    "queue.declare": queue_declare,
    "queue.bind": queue_bind,
    "queue.unbind": queue_unbind,
    "queue.purge": queue_purge,
    "queue.delete": queue_delete,
    "basic.qos": basic_qos,
    "basic.consume": basic_consume,
    "basic.cancel": basic_cancel,
    "basic.cancel-ok": basic_cancel_ok,
    "basic.get": basic_get,
    "basic.ack": basic_ack,
    "basic.nack": basic_nack,
    "basic.reject": basic_reject,
    "basic.recover": basic_recover,
    "basic.recover-async": basic_recover_async,
    "confirm.select": confirm_select,
    "tx.select": _tx("select"),
    "tx.commit": _tx("commit"),
    "tx.rollback": _tx("rollback"),
}
