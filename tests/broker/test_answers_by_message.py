"""Answers that name a message instead of a delivery tag: the newest delivery of it that is open, whatever came before."""

from routesim import model, steps
from routesim.broker import RabbitBroker
from routesim.versions import rules


def holding(count: int) -> RabbitBroker:
    broker = RabbitBroker(rules())
    broker.apply(steps.DeclareQueue("d", model.Queue("q")))
    broker.apply(steps.OpenChannel("c", "c"))  # without confirms, so that it may have transactions
    for number in range(count):
        broker.apply(steps.Publish("p", model.Message("", "q"), f"m{number}"))
        broker.apply(steps.Get("c", "q"))
    return broker


def test_in_any_order_and_each_once() -> None:
    broker = holding(4)
    for message in ("m2", "m0", "m3"):
        assert broker.apply(steps.Ack("c", message=message)) is None
    assert [item.copy.message for item in broker.channels["c"].unacked.values()] == ["m1"]
    assert not broker.failures
    broker.apply(steps.Ack("c", message="m2"))
    assert [failure.text for failure in broker.failures] == ["channel 'c' holds no open delivery of m2"]


def test_what_a_rollback_gives_back_is_found_again() -> None:
    broker = holding(2)
    broker.apply(steps.Tx("c", "select"))
    broker.apply(steps.Ack("c", message="m1"))
    broker.apply(steps.Ack("c", message="m1"))  # in the transaction it is answered
    assert len(broker.failures) == 1
    broker.apply(steps.Tx("c", "rollback"))
    broker.apply(steps.Ack("c", message="m1"))
    broker.apply(steps.Tx("c", "commit"))
    assert len(broker.failures) == 1
    assert [item.copy.message for item in broker.channels["c"].unacked.values()] == ["m0"]
