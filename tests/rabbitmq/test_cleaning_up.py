"""What ends a run does not end its cleaning up."""

import os
import signal

import pytest

from routesim.rabbitmq.scratch import Terminated, ended_by_signals, scratch_vhost


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_cut_off_the_removal(number: signal.Signals) -> None:
    made: list[str] = []

    class Management:
        def create_vhost(self, name: str, default_queue_type: str | None = None) -> None:
            made.append(name)

        def delete_vhost(self, name: str) -> None:
            os.kill(os.getpid(), number)
            made.remove(name)

    def interrupted_run() -> None:
        with ended_by_signals(), scratch_vhost(Management()):  # type: ignore[arg-type]
            os.kill(os.getpid(), number)

    with pytest.raises((Terminated, KeyboardInterrupt)):
        interrupted_run()
    assert made == []
