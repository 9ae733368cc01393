"""What a scenario made of an app declares is what a real worker of that app declares on a real broker."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from kits.celery.live import APPS, LIMIT_S, Topology, settled, simulated, workers
from kits.live import URL, live_session

from routesim.cli.handlers.celery.reading_apps import import_app
from routesim.cli.shared.exits import OK
from routesim.rabbitmq.scratch import scratch_vhost
from routesim.run import Runner
from routesim.testing.api import loads

NAMES = [path.stem for path in sorted(APPS.glob("*.py"))]


def imported(app: str, version: str, folder: Path) -> Topology:
    """What the scenario declares once its workers have started."""
    written = folder / f"{app}.yaml"
    assert import_app(app, str(written), 1, str(APPS), None, 30.0, version, debug=False) == OK
    text, steps, _ = written.read_text(encoding="utf-8").partition("\nsteps:\n")
    return simulated(Runner(loads(f"{text}{steps}  - wait: 1s\n")).run().broker)


def test_a_worker_declares_what_its_scenario_declares(tmp_path):
    session = live_session()
    management = session.management
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        vhosts = {app: stack.enter_context(scratch_vhost(management)) for app in NAMES}
        stack.enter_context(workers({app: f"{URL}/{vhost}" for app, vhost in vhosts.items()}, logs))
        until = time.monotonic() + LIMIT_S
        wanted = {app: imported(app, session.profile, tmp_path) for app in NAMES}
        found = {app: settled(management, vhosts[app], wanted[app], logs / app, until) for app in NAMES}
    for app in NAMES:
        for what in wanted[app]:
            assert found[app][what] == wanted[app][what], f"{what} of {app}"
    assert all(any(wanted[app].values()) for app in NAMES)
