"""What `routesim serve --record` adds: what is looked at before the server starts, and the file at its end."""

from collections.abc import Iterable

from routesim.cli.handlers.servers.serving_inputs import ServeOptions
from routesim.cli.recorders.target import check_target, write_recording
from routesim.cli.shared.exits import UsageError
from routesim.cli.shared.output import same_file
from routesim.recording.document import document
from routesim.recording.recorder import ClientRecorder
from routesim.scenario import Scenario
from routesim.serve.vhosts import Vhost


class ServedRecording:
    """Of the one virtual host of a server, into `path`."""

    def __init__(self, path: str, *, bodies: bool, redact: tuple[str, ...]) -> None:
        self.path = path
        self.bodies = bodies
        self.redact = redact
        self.recorder: ClientRecorder | None = None
        self.vhost: Vhost
        self.given: Scenario

    def check_vhosts(self, names: Iterable[str]) -> None:
        """Raises `UsageError`."""
        found = list(names)
        if len(found) > 1:
            raise UsageError(f"--record writes one vhost, and there are {', '.join(found)}: name one with --vhost")

    def begin(self, vhost: Vhost, given: Scenario) -> None:
        self.vhost, self.given = vhost, given
        self.recorder = vhost.recorder = ClientRecorder(vhost.broker, bodies=self.bodies, redact=self.redact)

    def end(self) -> None:
        """What clients are told from now on, and what they do then, is none of it."""
        self.vhost.recorder = None
        if self.recorder is not None:
            self.recorder.end()

    def write(self) -> None:
        """Nothing where the server has not begun. Raises `CannotWrite`."""
        if self.recorder is None:
            return
        write_recording(self.path, document(self.recorder, self.given))


def recording_for(options: ServeOptions, path: str) -> ServedRecording:
    """Raises `UsageError` for what could not be written at the end."""
    given = options.recording
    if options.play:
        raise UsageError("--record writes what clients do, --play acts for them: leave out one of them")
    if any(same_file(each, path) for each in options.files):
        raise UsageError(f"--record would overwrite the scenario {path}")
    check_target(path, given.redact, force=given.force)
    return ServedRecording(path, bodies=given.bodies, redact=given.redact)
