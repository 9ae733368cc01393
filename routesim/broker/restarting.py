"""A restart of the broker (rules/queues#7, rules/routing#C8): everybody's connection ends, what is not durable goes."""

from routesim import events, steps
from routesim.broker.channels import close_connection
from routesim.broker.state import State
from routesim.broker.topology import remove_exchange, remove_queue
from routesim.queues import Copy


def restart(broker: State, step: steps.Restart) -> None:
    if broker.listen:
        broker.listen(events.Restarted(broker.now, step.clean))
    # A broker that stops leaves auto-delete queues alone: nobody cancelled (rules/queues#1.5).
    lasting = [queue for queue in broker.queues.values() if queue.auto_delete and queue.durable]
    for queue in lasting:
        queue.auto_delete = False
    # Everybody goes at once: nothing that one consumer held is sent to another meanwhile.
    for queue in broker.queues.values():
        for channel in broker.channels.values():
            queue.remove_consumers(broker, channel)
    for name in list(broker.connections):
        close_connection(broker, name, "the broker restarted")
    for queue in lasting:
        queue.auto_delete = True
        queue.had_consumers = False
    for queue in list(broker.queues.values()):
        if not queue.durable:
            remove_queue(broker, queue, "not durable: gone with the restart", cascade=False)
    if not broker.rules.exchanges_outlive_restarts:
        for name, state in list(broker.exchanges.items()):
            if not state.declared.durable:
                remove_exchange(broker, name, "not durable: gone with the restart", cascade=False)
            else:
                state.unshare()
                state.matcher.restart()
    for queue in broker.queues.values():
        lost = queue.restart(broker, clean=step.clean)
        _lose(broker, queue.name, lost)
        queue.used_at = broker.now
        broker.watch_lease(queue)


def _lose(broker: State, queue: str, lost: list[Copy]) -> None:
    broker.ledger.lost_at_restart += len(lost)
    if broker.listen:
        for copy in lost:
            broker.listen(events.LostAtRestart(broker.now, copy.message, queue, copy.serial))
