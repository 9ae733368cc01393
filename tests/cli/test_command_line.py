"""Commands, options, hints and exit statuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kits.cli import COMMAND, SHOES, environment, on_terminal, routesim, sane, started
from kits.paths import ROOT, SCENARIO_FILES

import routesim as package

SMALL = b"queues: {q: }\nsteps: [{publish: {routing_key: q}}]\n"
FAILING = b"queues: {q: }\nexpect: {queues: {q: {ready: 1}}}\n"
ENDLESS = b"queues: {q: }\nconsumers: {c: {queue: q, takes: 1s, on_message: requeue}}\nsteps: [{publish: {routing_key: q}}]\n"
LIVELOCK = b"queues: {q: }\nconsumers: {c: {queue: q, on_message: requeue}}\nsteps: [{publish: {routing_key: q}}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_bytes(SMALL)
    (tmp_path / "failing.yaml").write_bytes(FAILING)
    (tmp_path / "endless.yaml").write_bytes(ENDLESS)
    (tmp_path / "livelock.yaml").write_bytes(LIVELOCK)
    (tmp_path / "broken.yaml").write_bytes(b"queues: {q: {typ: x}}\n")
    return tmp_path


# Help ----------------------------------------------------------------------------------------------------------------


def test_version() -> None:
    done = routesim("--version")
    assert (done.status, done.out, done.err) == (0, f"routesim {package.__version__}\n", "")


def test_help_names_every_command_and_is_on_stdout() -> None:
    done = routesim("--help")
    assert (done.status, done.err) == (0, "")
    assert "run" in done.out
    assert "--version" in done.out


def test_help_of_run_names_every_option_with_examples() -> None:
    done = routesim("run", "--help")
    assert (done.status, done.err) == (0, "")
    for option in ("--format", "--output", "--quiet", "--until", "--seed", "--max-events", "-f", "-o", "-q"):
        assert option in done.out
    for format in ("table", "plain", "json", "ndjson"):
        assert format in done.out
    assert "routesim run" in done.out.partition("Examples:")[2]


def test_no_arguments_is_help_and_status_2() -> None:
    done = routesim()
    assert done.status == 2
    lines = done.out.splitlines()
    assert len([line for line in lines if line.startswith("  ")]) == 5
    assert max(map(len, lines)) < 80
    assert "routesim --help lists all commands." in lines


def test_run_without_a_file_says_what_is_missing() -> None:
    done = sane(routesim("run"))
    assert (done.status, done.out) == (2, "")
    assert "SCENARIO" in done.err
    assert "routesim run --help" in done.err


def test_help_cuts_no_sentence_off() -> None:
    """`Run a scenario under two versions and print only what behaves...` is not what anybody wants to read."""
    for columns in ("60", "80", "120"):
        assert "..." not in routesim("--help", COLUMNS=columns).out.replace("SCENARIO...", "").replace("[ARGS]...", "")


def test_help_is_as_narrow_as_the_terminal() -> None:
    for line in routesim("run", "--help", COLUMNS="60").out.partition("Examples:")[0].splitlines():
        assert len(line) <= 60, line


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("rnu", SHOES), "run"), (("Run", SHOES), "run"), (("run", SHOES, "--fromat", "json"), "--format"), (("run", SHOES, "--quite"), "--quiet"),
        (("run", SHOES, "--format", "jsn"), "json"), (("run", SHOES, "-f", "JSON"), "json"), (("run", SHOES, "--until", "forever"), "idle"),
        (("run", SHOES, "--seed", "x"), "--seed"), (("run", SHOES, "--seed", "-1"), "--seed"), (("run", SHOES, "--max-events", "0"), "--max-events"),
        (("run", SHOES, "--max-events", "many"), "--max-events"), (("run", SHOES, "--format"), "--format"), (("run", "scenarios/shose.yaml"), "shoes.yaml"),
        (("run", "-", "-"), "once"), (("--verison",), "--version"), (("run", SHOES, "--until", "-5s"), "duration"), (("run", SHOES, "--until", ""), "duration"),
        (("run", SHOES, "--broker", "amqp://localhost:1", "--seeds", "1..3"), "embedded engine"), (("run", SHOES, "--speed", "2"), "--broker"),
        (("run", SHOES, "--management", "http://localhost:1"), "--broker"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_status_2_with_a_hint(arguments: tuple[str, ...], hint: str) -> None:
    done = sane(routesim(*arguments, stdin=SMALL))
    assert (done.status, done.out) == (2, "")
    assert hint in done.err
    assert len(done.err.splitlines()) <= 6


@pytest.mark.parametrize("arguments", [("-h",), ("run", "-h")])
def test_short_help(arguments: tuple[str, ...]) -> None:
    """Many type -h first: it is help, or an error that names --help."""
    done = routesim(*arguments)
    assert done.status in (0, 2)
    assert "--help" in done.out + done.err


def test_a_traceback_only_with_debug() -> None:
    done = routesim("--debug", "run", "missing.yaml")
    assert done.status == 2
    assert "Traceback" not in done.err, "a missing file is nobody's mistake in routesim"


def test_options_may_stand_before_and_after_files(folder: Path) -> None:
    first = routesim("run", "--quiet", "small.yaml", cwd=folder)
    assert routesim("run", "small.yaml", "--quiet", cwd=folder) == first
    assert routesim("run", "--", "small.yaml", cwd=folder).status == 0


# Statuses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("small.yaml",), 0), (("failing.yaml",), 1), (("livelock.yaml",), 1), (("broken.yaml",), 2), (("missing.yaml",), 2), (("endless.yaml", "--max-events", "2000"), 3),
        (("small.yaml", "failing.yaml"), 1), (("failing.yaml", "small.yaml"), 1), (("small.yaml", "broken.yaml"), 2), (("failing.yaml", "broken.yaml"), 2),
        (("endless.yaml", "small.yaml", "--max-events", "2000"), 3), (("failing.yaml", "endless.yaml", "--max-events", "2000"), 3),
    ],
)  # fmt: skip
def test_statuses(folder: Path, arguments: tuple[str, ...], status: int) -> None:
    assert sane(routesim("run", *arguments, cwd=folder)).status == status


def test_quiet_is_only_what_failed_and_the_verdict(folder: Path) -> None:
    done = routesim("run", "-q", "small.yaml", cwd=folder)
    assert (done.status, done.err) == (0, "")
    assert len(done.out.splitlines()) == 1
    assert done.out.startswith("OK")
    done = routesim("run", "-q", "failing.yaml", cwd=folder)
    assert done.status == 1
    assert "queues.q.ready" in done.out
    assert done.out.splitlines()[-1].startswith("FAILED")


def test_quiet_tells_of_tasks_that_nobody_takes(folder: Path) -> None:
    (folder / "mail.yaml").write_text(
        "celery: {apps: {shop: }, workers: {w1: {}}, tasks: {shop.mail: {queue: mail}}}\nsteps: [call: {task: shop.mail}]\n"
    )
    outcome = routesim("run", "mail.yaml", "-q", cwd=folder)
    assert outcome.status == 0
    assert outcome.out.startswith("OK  mail: 1 task waits in mail, which no worker consumes; ")
    assert outcome.out == routesim("run", "mail.yaml", cwd=folder).out.splitlines(keepends=True)[-1]


def test_quiet_shows_only_the_expectations_that_failed(folder: Path) -> None:
    (folder / "both.yaml").write_bytes(b"queues: {q: , r: }\nexpect: {queues: {q: {ready: 1}, r: {ready: 0}}}\n")
    done = routesim("run", "-q", "both.yaml", cwd=folder)
    assert "queues.q.ready" in done.out
    assert "queues.r.ready" not in done.out


def test_several_files_are_run_in_order(folder: Path) -> None:
    done = routesim("run", "-q", "small.yaml", "failing.yaml", "small.yaml", cwd=folder)
    verdicts = [line.split()[0] for line in done.out.splitlines() if line.startswith(("OK", "FAILED"))]
    assert verdicts == ["OK", "FAILED", "OK"]


def test_all_the_scenarios_of_the_project() -> None:
    files = [str(path.relative_to(ROOT)) for path in SCENARIO_FILES]
    done = sane(routesim("run", "-q", *files))
    assert done.status == 0
    assert done.out.count("OK") >= len(files)


def test_stdin() -> None:
    done = sane(routesim("run", "-", "-f", "json", stdin=SMALL))
    assert done.status == 0
    assert json.loads(done.out)["counts"]["published"] == 1
    assert sane(routesim("run", "-", stdin=b"")).status == 2
    assert sane(routesim("run", "-", stdin=b"\xff")).status == 2


def test_stdin_beside_files(folder: Path) -> None:
    done = routesim("run", "failing.yaml", "-", "-f", "json", stdin=SMALL, cwd=folder)
    assert [json.loads(line)["ok"] for line in done.out.splitlines()] == [False, True]


def test_definitions_beside_a_scenario_from_stdin_are_looked_for_in_this_folder(folder: Path) -> None:
    (folder / "d.json").write_text('{"queues": [{"name": "q", "durable": true, "auto_delete": false}]}')
    done = routesim("run", "-", "-f", "json", stdin=b"definitions: d.json\n", cwd=folder)
    assert list(json.loads(done.out)["queues"]) == ["q"]


def test_a_file_named_by_its_full_path(folder: Path) -> None:
    done = routesim("run", str(folder / "small.yaml"), "-f", "json")
    assert json.loads(done.out)["file"] == str(folder / "small.yaml")


def test_names_of_files_may_be_anything(folder: Path) -> None:
    for name in (b"\xff.yaml", "é👟.yaml".encode(), b"\x1b[31m.yaml", b"new\nline [red].yaml"):
        path = os.fsencode(folder) + b"/" + name
        with open(path, "wb") as file:
            file.write(SMALL)
        done = sane(routesim("run", "-q", path, cwd=folder))
        assert done.status == 0, done
        assert "\x1b" not in done.out
        assert len(done.out.splitlines()) == 1
        with open(path, "wb") as file:
            file.write(b"queues: {q: {typ: x}}")
        done = sane(routesim("run", path, cwd=folder))
        assert done.status == 2
        assert "\x1b" not in done.err
        assert len(done.err.splitlines()) == 8, done.err


# Options -------------------------------------------------------------------------------------------------------------


def test_until(folder: Path) -> None:
    (folder / "slow.yaml").write_bytes(b"queues: {q: }\nsteps: [{publish: {routing_key: q, count: 10, every: 1s}}]\n")
    for until, published in (("idle", 10), ("steps", 1), ("4s", 5), ("4500ms", 5), ("0", 1)):
        result = json.loads(routesim("run", "slow.yaml", "-f", "json", "--until", until, cwd=folder).out)
        assert result["counts"]["published"] == published


def test_seed_and_the_same_bytes(folder: Path) -> None:
    (folder / "lots.yaml").write_bytes(
        b"queues: {q: }\nconsumers: {c: {queue: q, on_message: [{chance: 0.5, do: reject}]}}\nsteps: [{publish: {routing_key: q, count: 50}}]\n"
    )
    first = routesim("run", "lots.yaml", "-f", "json", "--seed", "5", cwd=folder, PYTHONHASHSEED="1")
    assert routesim("run", "lots.yaml", "-f", "json", "--seed", "5", cwd=folder, PYTHONHASHSEED="2") == first
    assert routesim("run", "lots.yaml", "-f", "json", "--seed", "6", cwd=folder).out != first.out


def test_max_events(folder: Path) -> None:
    def events(budget: str) -> int:
        return len(json.loads(routesim("run", "endless.yaml", "-f", "json", "--max-events", budget, cwd=folder).out)["events"])

    assert events("2000") < events("20000") < 100_000


def test_a_format_of_ones_own_is_not_one(folder: Path) -> None:
    done = routesim("run", "small.yaml", "--format", "yaml", cwd=folder)
    assert done.status == 2
    for format in ("table", "plain", "json", "ndjson"):
        assert format in done.err


def test_plain_is_the_format_of_a_pipe(folder: Path) -> None:
    assert routesim("run", "small.yaml", cwd=folder).out == routesim("run", "small.yaml", "-f", "plain", cwd=folder).out


def test_nothing_is_drawn_in_colour_in_a_pipe_unless_that_is_asked_for(folder: Path) -> None:
    for format in ("table", "plain"):
        asked = ("run", "failing.yaml", "-f", format)
        coloured = {"TERM": "xterm-256color", "CLICOLOR_FORCE": "1"}
        assert "\x1b" not in routesim(*asked, cwd=folder, **coloured).out
        assert "\x1b" not in routesim(*asked, cwd=folder, FORCE_COLOR="0").out
        assert "\x1b" in routesim(*asked, cwd=folder, FORCE_COLOR="1").out
        assert "\x1b" not in routesim(*asked, cwd=folder, FORCE_COLOR="1", NO_COLOR="1").out
        assert "\x1b" in routesim(*asked, "--color", "always", cwd=folder, NO_COLOR="1").out
        assert "\x1b" in routesim("--color=always", *asked, cwd=folder).out
        assert "\x1b" in routesim("--color", *asked, cwd=folder).out
        assert "\x1b" in routesim(*asked, "--color", cwd=folder).out
        assert "\x1b" not in routesim(*asked, "--no-color", cwd=folder, FORCE_COLOR="1").out
    assert "\x1b" not in routesim("run", "broken.yaml", cwd=folder).err
    assert routesim("run", "small.yaml", "--color", "maybe", cwd=folder).err.startswith(
        "error: --color takes always, never, auto"
    )


# --output ------------------------------------------------------------------------------------------------------------


def test_output_to_a_file(folder: Path) -> None:
    for format in ("plain", "json"):
        done = sane(routesim("run", "small.yaml", "-f", format, "-o", "out.txt", cwd=folder))
        assert (done.status, done.out, done.err) == (0, "", "")
        assert (folder / "out.txt").read_text(encoding="utf-8") == routesim("run", "small.yaml", "-f", format, cwd=folder).out


def test_output_is_utf_8_whatever_the_terminal_is(folder: Path) -> None:
    routesim("run", "small.yaml", "-o", "ascii.txt", cwd=folder, PYTHONIOENCODING="ascii")
    routesim("run", "small.yaml", "-o", "utf8.txt", cwd=folder)
    assert (folder / "ascii.txt").read_bytes() == (folder / "utf8.txt").read_bytes()


def test_output_of_a_failed_run_is_written_too(folder: Path) -> None:
    done = routesim("run", "failing.yaml", "-f", "json", "-o", "out.json", cwd=folder)
    assert done.status == 1
    assert json.loads((folder / "out.json").read_text())["ok"] is False


def test_a_dash_is_stdout(folder: Path) -> None:
    assert routesim("run", "small.yaml", "-o", "-", cwd=folder).out == routesim("run", "small.yaml", cwd=folder).out


@pytest.mark.parametrize("target", ["no/such/folder/out.txt", ".", "", "small.yaml/x", "n" * 300])
def test_output_that_cannot_be_written_is_status_2(folder: Path, target: str) -> None:
    before = sorted(os.listdir(folder))
    done = sane(routesim("run", "small.yaml", "-o", target, cwd=folder))
    assert (done.status, done.out) == (2, "")
    assert "cannot write" in done.err
    assert sorted(os.listdir(folder)) == before, "nothing is left behind"


def test_a_scenario_that_cannot_be_used_leaves_the_output_alone(folder: Path) -> None:
    (folder / "out.txt").write_text("precious")
    assert routesim("run", "broken.yaml", "-o", "out.txt", cwd=folder).status == 2
    assert (folder / "out.txt").read_text() == "precious"


def test_a_link_goes_on_being_a_link(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "out.txt").symlink_to(folder / "real" / "out.txt")
    assert routesim("run", "small.yaml", "-o", "out.txt", cwd=folder).status == 0
    assert (folder / "out.txt").is_symlink()
    assert "m1" in (folder / "real" / "out.txt").read_text()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_written_to_and_not_replaced(folder: Path) -> None:
    """So are devices: `-o /dev/null` must not turn /dev/null into a file."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([sys.executable, "-c", f"print(open({str(pipe)!r}).read())"], stdout=subprocess.PIPE) as reader:
        done = routesim("run", "small.yaml", "-o", "pipe", cwd=folder)
        still_a_pipe = pipe.is_fifo()
        try:
            text = reader.communicate(timeout=3 if still_a_pipe else 0.1)[0]
        except subprocess.TimeoutExpired:
            reader.kill()
            text = b""
    assert still_a_pipe
    assert (done.status, b"m1" in text) == (0, True)


def test_the_rights_of_a_file_stay(folder: Path) -> None:
    (folder / "out.txt").write_text("old")
    (folder / "out.txt").chmod(0o640)
    routesim("run", "small.yaml", "-o", "out.txt", cwd=folder)
    assert (folder / "out.txt").stat().st_mode & 0o777 == 0o640


def test_the_scenario_itself_is_not_overwritten(folder: Path) -> None:
    done = routesim("run", "small.yaml", "-o", "small.yaml", cwd=folder)
    assert done.status == 2
    assert (folder / "small.yaml").read_bytes() == SMALL


# Streams that end early, or are not there ----------------------------------------------------------------------------

LONG = b"queues: {q: }\nsteps: [{publish: {routing_key: q, count: 40000}}]\n"


@pytest.mark.parametrize(("format", "unbuffered"), [("plain", ""), ("plain", "1"), ("table", ""), ("json", ""), ("ndjson", "1")])
def test_a_closed_pipe_is_no_error(folder: Path, format: str, unbuffered: str) -> None:
    (folder / "long.yaml").write_bytes(LONG)
    process = started("run", "long.yaml", "-f", format, cwd=folder, **({"PYTHONUNBUFFERED": unbuffered} if unbuffered else {}))
    assert process.stdout
    assert process.stderr
    assert process.stdout.read(10)
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=30), error) == (0, b"")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("run", "--help"), ("--version",), (), ("run", SHOES), ("run", SHOES, "-f", "json")]
)
def test_a_pipe_that_is_closed_from_the_start(arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = routesim(*arguments, stdout=write)
    os.close(write)
    assert done.status == (0 if arguments else 2)
    assert done.err == ""


def test_errors_into_a_closed_pipe_are_still_status_2(folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = routesim("run", "broken.yaml", stderr=write, cwd=folder)
    os.close(write)
    assert done.status == 2


@pytest.mark.parametrize("arguments", [("run", "small.yaml"), ("run", "broken.yaml"), ("--help",), ("nonsense",), ("run", "-")])
@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_stream_that_is_not_open(folder: Path, arguments: tuple[str, ...], stream: int) -> None:
    """As cron and some services start their programs. No traceback, no internal error, and no status that is not true."""

    def close() -> None:
        os.close(stream)

    done = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=environment(), capture_output=True, preexec_fn=close, timeout=30, check=False
    )
    assert b"Traceback" not in done.stderr
    assert b"internal error" not in done.stderr
    usable = {("run", "broken.yaml"): 2, ("nonsense",): 2, ("run", "-"): 2}.get(arguments, 0)
    assert done.returncode in (usable, 2 if stream == 1 else usable)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize(
    "arguments", [("run", SHOES), ("run", SHOES, "-f", "json"), ("run", SHOES, "-f", "table"), ("--help",), ("--version",)]
)
def test_a_full_disk_is_not_a_mistake_in_routesim(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = routesim(*arguments, stdout=full.fileno())
    assert done.status in (2, 3)
    assert "No space left" in done.err
    assert "internal error" not in done.err
    assert "Traceback" not in done.err


# Interrupts ----------------------------------------------------------------------------------------------------------

AGES = b"queues: {q: }\nconsumers: {c: {queue: q}}\nsteps: [{publish: {routing_key: q, count: 1000000000}}]\n"


@pytest.mark.parametrize("options", [("-q",), ("-f", "ndjson"), ("-f", "plain")])
def test_an_interrupt_is_130(folder: Path, options: tuple[str, ...]) -> None:
    (folder / "ages.yaml").write_bytes(AGES)
    with open(folder / "out", "wb") as out:
        process = subprocess.Popen(
            [*COMMAND, "run", "ages.yaml", *options], cwd=folder, env=environment(), stdout=out, stderr=subprocess.PIPE
        )
        time.sleep(1.2)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=15)
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert error.decode().strip() == "interrupted"


def test_an_interrupted_output_file_is_not_left_half_written(folder: Path) -> None:
    (folder / "ages.yaml").write_bytes(AGES)
    (folder / "out.txt").write_text("old")
    before = sorted(os.listdir(folder))
    process = started("run", "ages.yaml", "-o", "out.txt", cwd=folder)
    time.sleep(1.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=15)
    assert process.returncode == 130
    assert sorted(os.listdir(folder)) == before
    assert (folder / "out.txt").read_text() == "old"


def test_ctrl_c_on_a_terminal(folder: Path) -> None:
    (folder / "ages.yaml").write_bytes(AGES)
    screen = on_terminal("run", "ages.yaml", "-q", columns=80, keys=b"\x03", after_s=1.5, cwd=folder)
    assert screen.status == 130
    assert "Traceback" not in screen.text
    assert "interrupted" in screen.text


def test_an_interrupt_while_waiting_for_stdin() -> None:
    process = subprocess.Popen(
        [*COMMAND, "run", "-"], cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=15)
    assert process.returncode == 130
    assert b"Traceback" not in error


# Starting up ---------------------------------------------------------------------------------------------------------


def test_it_starts_quickly() -> None:
    began = time.perf_counter()
    for _ in range(3):
        assert routesim("--version").status == 0
    assert (time.perf_counter() - began) / 3 < 1.5


def test_the_module_and_the_command_are_the_same() -> None:
    from routesim.cli import main

    assert callable(main.main)
    script = Path(sys.executable).parent / "routesim"
    if not script.exists():
        pytest.skip("the command is not installed beside this interpreter")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=30, check=False, env=environment())
    assert done.stdout == routesim("--version").out
