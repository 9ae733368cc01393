"""What every command prints in every format, kept as files. UPDATE_GOLDENS=1 writes them anew; look at the difference first."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kits.cli import SHOES, sane, within
from kits.paths import ROOT

from routesim.cli.shared.application import program
from routesim.cli.shells.suggesting import suggestions
from routesim.diagnostics import Invalid
from routesim.report.formats import VERIFY, formats_of, writer_of
from routesim.report.results.findings import refused
from routesim.report.results.verdicts import Verdicts
from routesim.report.style import OutputStyle
from routesim.scenario import load
from routesim.verify import VerifyVerdict
from routesim.verify.comparing import EngineDifference

GOLDENS = Path(__file__).parent / "goldens"
UPDATE = os.environ.get("UPDATE_GOLDENS") == "1"
FAILING, LOSING, MENDED = "tests/cli/failing.yaml", "tests/cli/losing.yaml", "tests/cli/mended.yaml"
BROKEN = "tests/cli/mistakes.yaml"
UPGRADED = "scenarios/upgrade-delivery-limit.yaml"
FLOWER = "scenarios/introduction/flower-watches-from-the-side.yaml"
TWICE, LATE = "scenarios/celery/connection-blip-runs-twice.yaml", "scenarios/introduction/redis-notices-late.yaml"
LONG_NAMES = "tests/cli/long-names.yaml"
EXPLORED = "scenarios/explore/done-twice.yaml"
ENDINGS = {
    "json": "json",
    "ndjson": "ndjson",
    "junit": "xml",
    "svg": "svg",
    "sarif": "sarif",
    "mermaid": "mmd",
    "dot": "dot",
    "tap": "tap",
    "html": "html",
}
# Formats that show nothing of a file that cannot be used: stderr alone tells.
UNSHOWN = {"table", "plain", "tree", "mermaid", "dot", "svg", "scenario", "definitions", "topology-operator", ""}
# A format that has goldens of its own somewhere else.
ELSEWHERE = {"html"}


class Golden(NamedTuple):
    """A command line without its format, the formats in which it is kept, its status, for how wide a screen, and what has to be
    installed for it."""

    arguments: tuple[str, ...]
    formats: tuple[str, ...] = ("plain",)
    status: int = 0
    columns: int = 100
    needs: str | None = None


ANSWERS = ("table", "plain", "json")  # what `explain` writes, be it for explain itself or for others
RUN = ("table", "plain", "json", "ndjson", "junit", "github", "tap")
TABLE = {
    "shoes": Golden(("run", SHOES), RUN),
    "failing": Golden(("run", FAILING), RUN, 1),
    "quiet": Golden(("run", SHOES, FAILING, "--quiet"), ("plain", "json", "ndjson"), 1),
    "covered": Golden(("run", SHOES, FAILING, "--coverage"), ("plain", "table"), 1),
    "seeds": Golden(("run", "scenarios/flaky-worker.yaml", "--seeds", "1..20"), ("table", "plain", "json")),
    "celery-60": Golden(("run", TWICE), ("table",), columns=60),
    "celery-80": Golden(("run", TWICE), ("table",), columns=80),
    "celery-200": Golden(("run", TWICE), ("table",), columns=200),
    "long-names": Golden(("run", LONG_NAMES), ("table",), columns=80),
    "plot": Golden(("run", "scenarios/prefetch.yaml", "-q", "--plot"), ("table", "plain"), columns=80),
    "explain-topic": Golden(("explain", "topic", "ship.shoes", "ship.*", "ship.any", "#.boots"), (*ANSWERS, "svg")),
    "explain-direct": Golden(("explain", "direct", "error", "error", "warning")),
    "explain-fanout": Golden(("explain", "fanout", "anything", "red", "blue")),
    "explain-headers": Golden(("explain", "headers", "-H", "size:=42", "x-match=any,kind=shoes,size:=42")),
    "explain-default": Golden(("explain", "default", "jobs", "jobs", "mail")),
    "explain-x-consistent-hash": Golden(("explain", "x-consistent-hash", "order42", "red=1", "blue=3")),
    "explain-x-modulus-hash": Golden(("explain", "x-modulus-hash", "order42", "red=1", "blue=3")),
    "explain-x-random": Golden(("explain", "x-random", "order42", "a.b", "#")),
    "explain-x-local-random": Golden(("explain", "x-local-random", "order42", "")),
    "explain-x-recent-history": Golden(("explain", "x-recent-history", "order42", "a.b")),
    "explain-x-federation-upstream": Golden(("explain", "x-federation-upstream", "order42", "a.b")),
    "explain-x-delayed-message": Golden(("explain", "x-delayed-message", "order42", "a.b", "#")),
    "explain-exchange": Golden(("explain", "exchange", "x-consistent-hash", "order42", "red=1", "blue=3")),
    "explain-ack": Golden(("explain", "ack"), ("",)),
    "explain-route": Golden(("explain", "route", SHOES, "--exchange", "shop", "ship.shoes"), ANSWERS),
    "explain-message": Golden(("explain", "message", SHOES, "m3"), ANSWERS),
    "explain-task": Golden(("explain", "task", "scenarios/introduction/five-ways-to-lose.yaml", "early"), ANSWERS),
    "explain-queue": Golden(("explain", "queue", SHOES, "warehouse"), ANSWERS),
    "explain-error": Golden(("explain", "error", "unknown-queue"), ANSWERS),
    "check": Golden(("check", LOSING), ("table", "plain", "json", "junit", "github", "sarif"), 1),
    "check-nothing": Golden(("check", "scenarios/hello.yaml"), ("table", "plain", "json", "junit", "github", "sarif")),
    "explore": Golden(("explore", EXPLORED), ("table", "plain", "json", "junit"), columns=80),
    "explore-broken": Golden(("explore", "scenarios/auto-ack-loses-work.yaml"), ("plain", "junit"), 1),
    "graph": Golden(("graph", SHOES), ("tree", "mermaid", "dot", "svg", "json")),
    "graph-way": Golden(("graph", SHOES, "--message", "m3"), ("tree", "mermaid", "dot", "svg", "json")),
    "graph-focus": Golden(("graph", SHOES, "--focus", "parked"), ("tree",)),
    "diff": Golden(("diff", LOSING, MENDED), (*ANSWERS, "github"), 1),
    "versions": Golden(("versions",), ANSWERS),
    "versions-between": Golden(("versions", "--from", "3.13", "--to", "4.0")),
    "upgrade": Golden(("upgrade", UPGRADED, "--from", "3.13", "--to", "4.0"), ANSWERS, 1),
    "import": Golden(("import", "tests/cli/cluster.json", "--vhost", "shop"), ("scenario", "definitions")),
    "import-celery": Golden(("import", "celery", "topics", "--chdir", "tests/celery/apps", "--workers", "2"), ("",), needs="celery"),
    "import-faststream": Golden(("import", "faststream", "faststream_app", "--chdir", "scenarios/imports"), ("",), needs="faststream"),
    "import-kombu": Golden(("import", "kombu", "kombu_app", "--chdir", "scenarios/imports"), ("",), needs="kombu"),
    "import-kubernetes": Golden(("import", "topology-operator", "tests/cli/foreign/objects.yaml"), ("scenario", "definitions"), 2),
    "import-symfony": Golden(("import", "symfony", "tests/cli/foreign/messenger.yaml"), ("scenario",), 2),
    "import-old-sound": Golden(("import", "old-sound", "tests/cli/foreign/old_sound_rabbit_mq.yaml"), ("scenario",), 2),
    "import-terraform": Golden(("import", "terraform", "tests/cli/foreign/terraform.json"), ("scenario",), 2),
    "import-rascal": Golden(("import", "rascal", "tests/cli/foreign/rascal.json"), ("scenario",), 2),
    "import-asyncapi": Golden(("import", "asyncapi", "tests/cli/foreign/asyncapi.yaml"), ("scenario",), 2),
    "import-template": Golden(("import", "tests/cli/foreign/chart.yaml"), ("scenario",), 2),
    "import-unknown": Golden(("import", "kubernets", "objects.yaml"), ("scenario",), 2),
    "import-live": Golden(("import", "aio-pika", "shop.py"), ("scenario",), 2),
    "broken-check-foreign": Golden(("check", "tests/cli/foreign/objects.yaml"), ("plain", "json", "github"), 2),
    "export": Golden(("export", SHOES), ("definitions", "topology-operator")),
    "new": Golden(("new", "-", "--template", "topics"), ("",)),
    "new-list": Golden(("new", "--list"), ("",)),
    "docs": Golden(("docs",), ("",)),
    "docs-rule": Golden(("docs", "rules/queues#2.3"), ("",)),
    "docs-search": Golden(("docs", "rules/routing", "--search", "firehose"), ("",)),
    "expand": Golden(("celery", "expand", TWICE), ("",)),
    "monitor": Golden(("celery", "monitor", TWICE, "--every", "8s"), ("table", "plain", "json"), columns=80),
    "monitor-at": Golden(("celery", "monitor", TWICE, "--at", "10s", "--every", "2s"), columns=80),
    "monitor-narrow": Golden(("celery", "monitor", TWICE), ("table",), columns=40),
    "monitor-as-flower": Golden(("celery", "monitor", FLOWER, "--as", "flower"), columns=80),
    "compare": Golden(("celery", "compare", LATE), ("table", "plain", "json"), 1, columns=80),
    # Files that cannot be used: what a format shows of them, and where that is nothing, what stderr says.
    "broken-run": Golden(("run", SHOES, BROKEN), (*RUN, "html"), 2),
    "broken-seeds": Golden(("run", BROKEN, "--seeds", "1..20"), ("table", "plain", "json"), 2),
    "broken-check": Golden(("check", LOSING, BROKEN), ("table", "plain", "json", "junit", "github", "sarif"), 2),
    "broken-serve": Golden(("serve", BROKEN), ("table", "plain", "json", "ndjson"), 2),  # the others: tests/serve/test_command.py
    "broken-explore": Golden(("explore", BROKEN), ("table", "plain", "json", "junit", "html"), 2),
    "broken-graph": Golden(("graph", BROKEN), ("tree", "mermaid", "dot", "svg", "json"), 2),
    "broken-route": Golden(("explain", "route", BROKEN, "key"), (*ANSWERS, "svg"), 2),
    "broken-message": Golden(("explain", "message", BROKEN, "m1"), (*ANSWERS, "svg"), 2),
    "broken-task": Golden(("explain", "task", BROKEN, "t1"), (*ANSWERS, "svg"), 2),
    "broken-queue": Golden(("explain", "queue", BROKEN, "warehouse"), (*ANSWERS, "svg"), 2),
    "broken-diff": Golden(("diff", BROKEN, LOSING), (*ANSWERS, "svg", "github"), 2),
    "broken-upgrade": Golden(("upgrade", BROKEN), (*ANSWERS, "svg"), 2),
    "broken-import": Golden(("import", BROKEN), ("scenario", "definitions"), 2),
    "broken-export": Golden(("export", BROKEN), ("definitions", "topology-operator"), 2),
    "broken-expand": Golden(("celery", "expand", BROKEN), ("",), 2),
    "broken-monitor": Golden(("celery", "monitor", BROKEN), ("table", "plain", "json"), 2),
    "broken-compare": Golden(("celery", "compare", BROKEN), ("table", "plain", "json"), 2),
}  # fmt: skip
CASES = [(name, format) for name, golden in TABLE.items() for format in golden.formats]


def kept(name: str, format: str) -> Path:
    if format in UNSHOWN and name in TABLE and BROKEN in TABLE[name].arguments and LOSING not in TABLE[name].arguments[:2]:
        return GOLDENS / f"{name}.stderr.txt"
    ending = ENDINGS.get(format, "txt")
    return GOLDENS / (f"{name}.{ending}" if ending == format else f"{name}.{format}.{ending}" if format else f"{name}.{ending}")


def printed(name: str, format: str) -> str:
    golden = TABLE[name]
    asked = ["--format", format] if format else []
    done = sane(within(*golden.arguments, *asked, COLUMNS=str(golden.columns), NO_COLOR="1"))
    assert done.status == golden.status, done
    if not done.out:
        return done.err
    if format == "html":  # the page around it is kept elsewhere
        return done.out[done.out.index("<main>") : done.out.index("</main>")]
    return done.out


def same(path: Path, text: str) -> None:
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "format"), CASES)
def test_golden(name: str, format: str) -> None:
    needs = TABLE[name].needs
    if needs is not None:
        pytest.importorskip(needs, reason=f"{needs} is not installed")
    same(kept(name, format), printed(name, format))


def test_the_schema() -> None:
    assert within("schema").out == (ROOT / "routesim" / "scenario" / "schema.json").read_text(encoding="utf-8")


VERDICTS = [
    VerifyVerdict("agree.yaml", "They agree", tries=1),
    VerifyVerdict("again.yaml", "They agree at last", tries=3),
    VerifyVerdict("slow.yaml", "Too slow", skipped="takes 3,600 s; try a higher --speed"),
    VerifyVerdict("differ.yaml", "They differ", difference=EngineDifference("queues", "queues.jobs.ready", ["m1", "m2"], ["m1"], "order of the queue"), tries=3),
]  # fmt: skip


@pytest.mark.parametrize("format", formats_of(VERIFY))
def test_verdicts(format: str) -> None:
    """What `verify` writes, without the broker that it needs."""
    out = io.StringIO()
    writer_of(format, VERIFY)(out, Verdicts(VERDICTS, "3.10.8"), OutputStyle(False, None, False))
    same(kept("verify", format), out.getvalue())


@pytest.mark.parametrize("format", [format for format in formats_of(VERIFY) if format not in ("table", "plain")])
def test_what_verify_says_of_a_file_that_cannot_be_used(format: str) -> None:
    out = io.StringIO()
    with pytest.raises(Invalid) as caught:
        load(str(ROOT / BROKEN))
    diagnostics = [item._replace(place=item.place and item.place._replace(file=BROKEN)) for item in caught.value.diagnostics]
    writer_of(format, VERIFY)(out, Verdicts([], "3.10.8", [refused(BROKEN, diagnostics)]), OutputStyle(False, None, False))
    same(kept("broken-verify", format), out.getvalue())


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from _commands(command.get_command(None, name), (*path, name))


def test_every_format_of_every_command_has_a_golden() -> None:
    app: Any = program()
    for path, command in _commands(app):
        if path in (("verify",), ("record",), ("completion",), ("schema",)) or path[0].startswith("serve "):
            # Tested above, in recording, in test_completion.py, and with a server that runs.
            continue
        words = tuple(" ".join(path).split())  # `import celery` is the name of a command
        mine = [golden for golden in TABLE.values() if golden.arguments[: len(words)] == words]
        assert mine, f"no golden for routesim {' '.join(path)}"
        if not any(parameter.name == "format" for parameter in command.params):
            continue
        offered = {item.text for item in suggestions(app, [*path, "--format"], "").items}
        # What `explain topic` shows goes through the same writers as all that is explained.
        needed = {"plain"} if path[0] == "explain" and path != ("explain", "topic") else offered - ELSEWHERE
        needed -= {"svg"} if path[0] in ("diff", "versions", "upgrade") else set()
        missing = needed - {format for golden in mine for format in golden.formats}
        assert not missing, f"no golden for routesim {' '.join(path)} --format {', '.join(sorted(missing))}"
        if any(
            parameter.name in ("file", "files", "old") and parameter.param_type_name == "argument" for parameter in command.params
        ):
            missing = offered - {format for golden in mine if BROKEN in golden.arguments for format in golden.formats}
            assert not missing, f"no golden of a broken file for {' '.join(path)} --format {', '.join(sorted(missing))}"


def test_every_golden_is_somebodys() -> None:
    used = {kept(name, format) for name, format in CASES} | {kept("verify", format) for format in formats_of(VERIFY)}
    used |= {kept("broken-verify", format) for format in formats_of(VERIFY) if format not in ("table", "plain")}
    assert {path for path in GOLDENS.iterdir() if not path.name.startswith("html")} == used


@pytest.mark.parametrize(("name", "format"), CASES)
def test_goldens_hold_nothing_that_a_terminal_acts_on(name: str, format: str) -> None:
    text = kept(name, format).read_text(encoding="utf-8")
    assert all(character == "\n" or character.isprintable() or (format == "svg" and character == "\xa0") for character in text)


@pytest.mark.parametrize("format", RUN)
def test_the_same_run_is_the_same_bytes(format: str) -> None:
    assert printed("shoes", format) == printed("shoes", format)


def test_the_goldens_are_what_the_scenario_promises() -> None:
    """So that a wrong run cannot become a golden unseen."""
    result = json.loads(kept("shoes", "json").read_text(encoding="utf-8"))
    assert {name: [item["message"] for item in queue["ready"]] for name, queue in result["queues"].items()} == {
        "warehouse": [], "audit": ["m1", "m2"], "unrouted": ["m4"], "parked": ["m3"],
    }  # fmt: skip
    assert [(item["message"], item["answer"]) for item in result["consumers"]["packer"]["deliveries"]] == [
        ("m1", "requeue"), ("m1", "ack"), ("m3", "reject"), ("m2", "requeue"), ("m2", "ack"),
    ]  # fmt: skip
    events = [json.loads(line) for line in kept("shoes", "ndjson").read_text(encoding="utf-8").splitlines()]
    assert events == result["events"]
    for name in ("table", "plain"):
        text = kept("shoes", name).read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert max(len(line) for line in text.splitlines()) <= 120
