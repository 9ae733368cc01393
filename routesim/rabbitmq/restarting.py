"""A real broker that is restarted by a command of whoever may restart it."""

import shlex
import subprocess
import time

from routesim import events, steps
from routesim.rabbitmq.connections import connect
from routesim.rabbitmq.endings import connections_gone
from routesim.rabbitmq.problems import BrokerProblem, NotOnARealBroker
from routesim.rabbitmq.real_state import RealState

LONGEST_S = 120  # for the command, and for the broker to answer after it
PAUSE_S = 0.2


def restart(broker: RealState, step: steps.Restart) -> None:
    """The command stops and starts the broker in good order; afterwards everybody's connection is gone. Time goes on meanwhile.

    Raises `NotOnARealBroker` without a command, and where the broker would have to be killed.
    """
    if broker.restart_command is None or not step.clean:
        raise NotOnARealBroker("a broker that others use is not restarted")
    broker.emit(events.Restarted(broker.now, step.clean))
    try:
        _carry_out(broker.restart_command)
    finally:
        for name in list(broker.connections.open):  # the other ends are gone
            broker.connections.drop(name)
    _wait_until_it_answers(broker)
    connections_gone(broker, "the broker restarted", stay=broker.rules.auto_delete_outlives_restarts)
    for queue in [item for item in broker.queues.values() if not item.durable]:
        del broker.queues[queue.name]


def _carry_out(command: str) -> None:
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, timeout=LONGEST_S, check=False)
    except (OSError, ValueError) as problem:
        raise BrokerProblem(f"--restart: '{command}' cannot be run: {problem}") from None
    except subprocess.TimeoutExpired:
        raise BrokerProblem(f"--restart: '{command}' did not end within {LONGEST_S} s") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise BrokerProblem(
            f"--restart: '{command}' failed with status {done.returncode}: {said[-1] if said else 'it says nothing'}"
        )


def _wait_until_it_answers(broker: RealState) -> None:
    until = time.monotonic() + LONGEST_S
    while True:
        try:
            connect(broker.connections.address, broker.vhost).close()
            broker.management.vhosts()
            return
        except BrokerProblem:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE_S)
