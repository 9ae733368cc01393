"""`routesim run --jobs`: scenarios in several processes, with the very output of running them one after the other.

Each process writes its report to a file of its own. The file whose turn it is is copied while it grows, so that memory is
constant however long a report gets and however long one scenario keeps the others waiting.
"""

import codecs
import io
import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import IO, Any

from routesim.broker import Broker
from routesim.cli.handlers.running import Ran, RunOptions, check, read, run_one, separates, summed, usable
from routesim.cli.shared.ending import undivided
from routesim.cli.shared.exits import NO_VERDICT, FilesRefused, UsageError
from routesim.cli.shared.output import CannotWrite, format_for, opened, read_stdin, stderr_line, style_of
from routesim.cli.shared.processes import Died, Pool
from routesim.cli.shared.refusing import Loaded, refuse_runs
from routesim.named_tuples import NamedTuple
from routesim.report.formats import run_report
from routesim.report.style import OutputStyle

CHUNK = 1 << 16
POLL_S = 0.05


class _Job(NamedTuple):
    scenario: bytes
    options: RunOptions
    format: str
    style: OutputStyle
    encoding: str
    spool: str


class _Spool(io.TextIOWrapper):
    """A file that looks to a report like the stream that it will be copied to."""

    def __init__(self, path: str, encoding: str) -> None:
        super().__init__(open(path, "wb", buffering=CHUNK), encoding="utf-8", errors="surrogatepass", newline="")  # noqa: SIM115
        self.shown_encoding = encoding
        self.flushed = time.monotonic()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.shown_encoding


def run_files(files: list[str], options: RunOptions, jobs: int) -> int:
    """As `running.run_files`, in up to `jobs` processes."""
    check(files, options)
    stdin = read_stdin() if "-" in files else None
    with Pool(min(jobs, len(files))) as pool:
        pool.ask(_read, [(path, stdin if path == "-" else None, options) for path in files])
        read: list[Loaded] = []
        for path, answer in zip(files, pool.in_order(), strict=True):
            if isinstance(answer, Died):
                stderr_line(f"error: the process that read {path} {answer}")
            else:
                read.append(answer)
        try:
            try:
                scenarios: list[Any] = usable(read, options)
            except FilesRefused as problem:
                status = refuse_runs(problem, options.format, options.output)
                return status if len(read) == len(files) else NO_VERDICT
            if len(read) < len(files):
                return NO_VERDICT
            with opened(options.output) as out, _spools() as folder:
                return _run_all(pool, files, scenarios, options, out, folder)
        except CannotWrite as problem:
            raise UsageError(str(problem)) from None


@contextmanager
def _spools() -> Iterator[str]:
    """A directory for the reports of single runs, which goes however the run ends."""
    with undivided():
        folder = TemporaryDirectory(prefix="routesim-", ignore_cleanup_errors=True)
    with folder as name:
        yield name


def _read(question: tuple[str, bytes | None, RunOptions]) -> Loaded:
    """The scenario as bytes, which only the process that runs it unpacks."""
    found = read(*question)
    if found.scenario is None:
        return found
    packed: Any = pickle.dumps(found.scenario._replace(topology=None), pickle.HIGHEST_PROTOCOL)
    return found._replace(scenario=packed)


def _run_all(pool: Pool, files: list[str], scenarios: list[bytes], options: RunOptions, out: IO[str], folder: str) -> int:
    format = format_for(options.format, out)
    style = style_of(out, format, quiet=options.quiet)._replace(rows=options.rows)
    encoding = getattr(out, "encoding", None) or "utf-8"
    spools = [os.path.join(folder, str(index)) for index in range(len(files))]
    pool.ask(
        _run,
        (_Job(scenario, options, format, style, encoding, spool) for scenario, spool in zip(scenarios, spools, strict=True)),
    )
    before, after = run_report(format).frame(len(files))
    out.write(before)
    ran = []
    for index, path in enumerate(files):
        if index and separates(options):
            out.write("\n")
        answer = _copied(pool, index, spools[index], out)
        if isinstance(answer, Died):
            out.flush()
            stderr_line(f"error: the process that ran {path} {answer}; its output ends where it was")
            answer = Ran(NO_VERDICT)
        ran.append(answer)
    out.write(after)
    return summed(ran, options, out)


def _run(job: _Job) -> Ran:
    scenario = pickle.loads(job.scenario)
    with _Spool(job.spool, job.encoding) as out:
        return run_one(scenario, job.options, job.format, job.style, out, _fresh(out))


def _fresh(out: _Spool) -> Callable[[Broker], None]:
    """What is written shows at the other end before long."""

    def tick(broker: Broker) -> None:
        now = time.monotonic()
        if now - out.flushed >= POLL_S:
            out.flushed = now
            out.flush()

    return tick


def _copied(pool: Pool, index: int, spool: str, out: IO[str]) -> Any:
    """Copies the report as it grows, to its end; returns the run's answer, raises what the run raised."""
    decode = codecs.getincrementaldecoder("utf-8")("surrogatepass").decode
    source: IO[bytes] | None = None
    last = "\n"
    try:
        while True:
            over = pool.answered(index)  # asked first: what is then read is all that there will be
            if source is None and os.path.exists(spool):
                source = open(spool, "rb")  # noqa: SIM115
            text = decode(source.read(CHUNK)) if source is not None else ""
            if text:
                out.write(text)
                last = text[-1]
                pool.attend(0)
            elif over:
                break
            else:
                out.flush()
                pool.attend(POLL_S)
    finally:
        if source is not None:
            source.close()
            os.unlink(spool)
    answer = pool.take(index)
    if isinstance(answer, Died) and last != "\n":
        out.write("\n")
    return answer
