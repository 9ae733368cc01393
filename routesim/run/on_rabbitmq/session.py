"""A real broker to work with: found, asked for its version, cleaned of what killed runs left, given scenarios one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from routesim.rabbitmq.http.features import permitted_features
from routesim.rabbitmq.http.management import Management
from routesim.rabbitmq.pace import Pace
from routesim.rabbitmq.problems import BrokerProblem, NoAccess
from routesim.rabbitmq.scratch import scratch_vhost, sweep
from routesim.rabbitmq.url import Address, WebAddress
from routesim.run.folds.fold import Listener, fan_out
from routesim.run.folds.letters import Letters
from routesim.run.on_rabbitmq.real_clock import RealClock
from routesim.run.on_rabbitmq.rehearsal import Rehearsal
from routesim.run.result import Result
from routesim.run.runner import Runner
from routesim.scenario import Scenario
from routesim.scenario.definitions.reading import closest_version
from routesim.versions import rules
from routesim.versions.deprecated import permitting

if TYPE_CHECKING:
    from routesim.rabbitmq.engine import RealBroker


class BrokerSession:
    """`version` is the broker's own, `profile` the rules that the simulator follows beside it; `features`: which deprecated ones
    the broker permits; `restart_command`: what restarts it in good order, None: it must not be restarted."""

    def __init__(self, amqp: Address, web: WebAddress, restart_command: str | None = None) -> None:
        self.amqp = amqp
        self.restart_command = restart_command
        self.management = Management(web)
        self.swept = sweep(self.management)
        self.types = self.management.exchange_types()
        self.version = self._version()
        self.profile, self.warning = closest_version(self.version)
        self.features = permitted_features(self.management, self.profile)

    def _version(self) -> str:
        from routesim.rabbitmq import connections

        with scratch_vhost(self.management) as vhost:
            try:
                connection = connections.connect(self.amqp, vhost)
            except NoAccess as problem:
                raise BrokerProblem(
                    f"{problem} to the virtual host that was made for it at {self.management.address}; is that the management "
                    "plugin of another broker? Name its own with --management URL"
                ) from None
            version = connections.version_of(connection)
            connection.close()
        return version

    def answers(self) -> bool:
        """Whether the broker, once lost, lets somebody in again."""
        try:
            return self._version() == self.version
        except BrokerProblem:
            return False

    @contextmanager
    def broker(self, scenario: Scenario, pace: Pace) -> Iterator["RealBroker"]:
        """A broker with nothing in it, gone again at the end."""
        from routesim.rabbitmq.connections import Connections
        from routesim.rabbitmq.engine import RealBroker

        default_type = scenario.settings.default_queue_type
        with scratch_vhost(self.management, default_type) as vhost:
            links = Connections(self.amqp, vhost)
            links.version = self.version
            try:
                yield RealBroker(
                    links, self.management, permitting(rules(self.profile), scenario.settings.permit),
                    shown_vhost=scenario.vhost, pace=pace, channel_plans=scenario.channels,
                    default_queue_type=default_type, restart_command=self.restart_command,
                )  # fmt: skip
            except BaseException:
                # Lost, or interrupted in the middle of a frame: taking leave might wait for ever, and the vhost's end ends all.
                links.open.clear()
                raise
            links.close_all()

    def run(
        self, scenario: Scenario, listener: Listener | None, *, plan: Rehearsal, speed: int, letters: Letters | None = None
    ) -> Result:
        """`plan`: how long it takes by the embedded engine. `letters` hear what clients are handed."""
        with self.broker(scenario, Pace(speed, plan.leases_end)) as broker:
            if letters is not None:
                letters.broker = broker
            heard = fan_out(listener, [letters] if letters is not None else [])
            return Runner(scenario, heard, real=RealClock(broker, plan.idle_ms)).run()
