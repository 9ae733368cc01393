"""`routesim serve` in a process of its own, on a free port."""

import contextlib
import json
import re
import signal
import subprocess
from collections.abc import Iterator

from kits.cli import started

LIMIT_S = 30


class Served:
    """A server that runs. `lines`: what it printed after the address, once it has ended."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (process.stderr or process.stdout).read().decode()
        self.said = line.decode()
        self.address = json.loads(line) if line.startswith(b"{") else {"port": int(re.findall(r":(\d+) ", self.said)[0])}
        self.port: int = self.address["port"]
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"
        self.lines: list[str] = []
        self.errors = ""
        self.status: int | None = None

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.status is None:
            self.process.send_signal(number)
            out, err = self.process.communicate(timeout=LIMIT_S)
            self.lines, self.errors, self.status = out.decode().splitlines(), err.decode(), self.process.returncode

    @property
    def summary(self) -> dict[str, object]:
        """The last line, of a server with --format json or ndjson that has ended."""
        found: dict[str, object] = json.loads(self.lines[-1])
        return found


@contextlib.contextmanager
def serving(*arguments: str, format: str = "json", stdin: int = subprocess.DEVNULL) -> Iterator[Served]:
    """It has ended without a word about itself, unless the test did not come that far."""
    given = ("--port", "0", *(("--format", format) if format else ()), *arguments)
    process = started("serve", *given, stdin=stdin)
    served = None
    try:
        served = Served(process)
        yield served
        served.end()
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert "Traceback" not in served.errors, served.errors
    assert "internal error" not in served.errors, served.errors
