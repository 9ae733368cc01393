"""Names that hold whatever output could trip over, through every command and format."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from kits.amqp.hostile import NAMES, celery_app, celery_scenario, cut, programs, scenario
from kits.cli import Done, on_terminal, sane, within
from rich.cells import cell_len

from routesim.cli.shared.application import program
from routesim.cli.shells.suggesting import suggestions
from routesim.report.formats import VERIFY, formats_of, writer_of
from routesim.report.results.verdicts import Verdicts
from routesim.report.style import OutputStyle
from routesim.text import visible, width
from routesim.verify import VerifyVerdict
from routesim.verify.comparing import EngineDifference

APP: Any = program()
SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    (made / "hostile.yaml").write_text(scenario(), encoding="utf-8")
    (made / "mended.yaml").write_text(scenario(mended=True), encoding="utf-8")
    (made / "celery.yaml").write_text(celery_scenario(), encoding="utf-8")
    (made / "hostile_app.py").write_text(celery_app(), encoding="utf-8")
    for name, text in programs().items():
        (made / f"{name}.py").write_text(text, encoding="utf-8")
    (made / "definitions.json").write_text(within("export", "hostile.yaml", cwd=made).out, encoding="utf-8")
    for name in NAMES:
        (made / f"named-{name}.yaml").write_text(
            f"{scenario(name).splitlines()[0]}\nqueues: {{q: }}\nexpect: {{lost: 1}}\n", encoding="utf-8"
        )
    return made


FILE = ("hostile.yaml",)
COMMANDS: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("run",), FILE), (("run",), (*FILE, "--quiet")), (("run",), (*FILE, "--coverage")), (("run",), (*FILE, "--seeds", "1..3")),
    (("run",), tuple(f"named-{name}.yaml" for name in NAMES)), (("check",), FILE), (("explore",), (*FILE, "--max-states", "200")), (("graph",), FILE),
    (("graph",), (*FILE, "--depth", "1")), (("diff",), ("hostile.yaml", "mended.yaml")), (("versions",), ()), (("upgrade",), (*FILE, "--from", "3.13")),
    (("import",), ("definitions.json",)), (("export",), FILE), (("schema",), ()), (("new",), ("-",)), (("completion",), ("bash",)), (("explain", "error"), ("404",)),
    (("import celery",), ("hostile_app",)), (("import kombu",), ("hostile_kombu",)), (("import faststream",), ("hostile_stream",)), (("celery", "expand"), ("celery.yaml",)), (("celery", "monitor"), ("celery.yaml", "--every", "2s")),
    (("celery", "compare"), ("celery.yaml",)), (("run",), ("celery.yaml",)), (("run",), ("celery.yaml", "-q", "--plot")), (("graph",), ("celery.yaml",)),
    (("check",), ("celery.yaml",)),
]  # fmt: skip
_KEY, _ALL = NAMES["ansi"] + NAMES["bidi"] + NAMES["markup"], tuple(name.replace("\0", "") for name in NAMES.values())
COMMANDS += [
    (("explain", kind), ("--", _KEY, *_ALL))
    for kind in (
        "topic",
        "direct",
        "fanout",
        "default",
        "x-random",
        "x-local-random",
        "x-recent-history",
        "x-delayed-message",
        "x-federation-upstream",
    )
]
COMMANDS += [
    (("explain", kind), ("--", _KEY, *(f"{name}=1" for name in _ALL))) for kind in ("x-consistent-hash", "x-modulus-hash")
]
COMMANDS += [(("explain", "exchange"), ("topic", "--", _KEY, *_ALL))]
COMMANDS += [
    (
        ("explain", "headers"),
        (*(f"-H{name}=v{name}" for name in _ALL), "--", *(f"{name}=v{name}" for name in _ALL if "," not in name)),
    )
]
for _name in NAMES.values():
    COMMANDS += [
        (("explain", "route"), (*FILE, f"--exchange={cut(_name)}", "--", _name[:200])),
        (("explain", "message"), (*FILE, "--", _name)),
        (("explain", "task"), ("celery.yaml", "--", f"i{cut(_name)[:100]}")),
        (("explain", "queue"), (*FILE, "--", cut(_name))), (("graph",), (*FILE, f"--focus={cut(_name)}")),
        (("graph",), (*FILE, f"--exchange={cut(_name)}", f"--key={_name[:200]}", f"--header=k{_name}=v{_name}")),
    ]  # fmt: skip


def formats(path: tuple[str, ...], arguments: tuple[str, ...]) -> list[str]:
    """All of them; of a command that is called once a name, some, in turn."""
    command = APP
    for word in path:
        command = command.get_command(None, word)
    if all(parameter.name != "format" for parameter in command.params):
        return [""]
    before = {"--seeds": ["--seeds", "1"], "--plot": ["--plot"]}
    deciding = [word for option, words in before.items() if option in arguments for word in words]
    offered = [item.text for item in suggestions(APP, [*path, *deciding, "--format"], "").items]
    same = [index for index, (other, given) in enumerate(COMMANDS) if other == path and given[:1] == FILE and len(given) > 1]
    if len(same) < len(NAMES) or (path, arguments) not in COMMANDS or COMMANDS.index((path, arguments)) not in same:
        return offered
    turn = same.index(COMMANDS.index((path, arguments)))
    return [offered[turn % len(offered)]]


@cache
def ran(folder: Path, path: tuple[str, ...], arguments: tuple[str, ...], format: str, **how: str) -> Done:
    asked = ["--format", format] if format else []
    return sane(within(*path, *asked, *arguments, cwd=folder, **{"COLUMNS": "80", "NO_COLOR": "1", **how}))


def tame(text: str) -> None:
    """Nothing that a terminal acts on, or that can put what is around it elsewhere."""
    bad = {character for character in text if character != "\n" and not character.isprintable()}
    assert not bad, sorted(map(ascii, bad))


def cases() -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str]]:
    for path, arguments in COMMANDS:
        for format in formats(path, arguments):
            yield path, arguments, format


def of_format(*wanted: str) -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    return [case for case in cases() if case[2] in wanted]


def test_everything_is_gone_through() -> None:
    """A new command or format must come by here."""
    without_files = {name for name in APP.list_commands(None) if name.startswith("serve ")} | {
        "docs",
        "record",
        "verify",
        "serve",
    }
    assert {path[0] for path, _ in COMMANDS} == set(APP.list_commands(None)) - without_files
    for group in ("explain", "celery"):
        assert {path[1] for path, _ in COMMANDS if path[0] == group} == set(APP.get_command(None, group).list_commands(None))
    known = {
        "table",
        "plain",
        "json",
        "ndjson",
        "junit",
        "github",
        "tap",
        "svg",
        "sarif",
        "tree",
        "mermaid",
        "dot",
        "scenario",
        "definitions",
        "topology-operator",
        "",
        "html",
    }
    assert {format for *_, format in cases()} <= known


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
@pytest.mark.parametrize("path", sorted({path for path, _ in COMMANDS}), ids=" ".join)
def test_nothing_acts_on_the_terminal(folder: Path, path: tuple[str, ...], encoding: str) -> None:
    refused = 0
    for command, arguments in COMMANDS:
        for format in formats(path, arguments) if command == path else []:
            asciis = format in ("json", "ndjson", "sarif") or (
                " ".join(arguments).isascii() and len(formats(path, arguments)) == 1
            )
            if format == "html" or (encoding != "utf-8" and asciis):  # tested elsewhere; the same bytes, or nearly
                continue
            done = ran(folder, path, arguments, format, encoding=encoding)
            refused += done.status == 2
            assert done.status in (0, 1) or (done.status == 2 and done.err.startswith("error: ")), done
            tame(done.out.replace("\xa0", " ") if format == "svg" else done.out)
            tame(done.err)
    # Only a name that no header, queue or message can have in this way is refused.
    assert refused <= (3 if path[-1] in ("queue", "message", "route", "graph") else 0)


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("arguments", [
    ("run", "mended.yaml"), ("explain", "queue", "mended.yaml", NAMES["wide"]), ("explain", "route", "mended.yaml", "-e", NAMES["combining"], NAMES["combining"]),
    ("check", "mended.yaml"), ("graph", "mended.yaml"), ("diff", "mended.yaml", "mended.yaml"), ("run", "mended.yaml", "--seeds", "1..3"),
    ("explain", "message", "mended.yaml", NAMES["markup"]),
], ids=lambda arguments: arguments[0] + str(len(arguments)))  # fmt: skip
def test_on_a_terminal(folder: Path, arguments: tuple[str, ...], columns: int) -> None:
    screen = on_terminal(*arguments, columns=columns, cwd=folder)
    assert screen.status in (0, 1)
    shown = SGR.sub("", screen.text.replace("\r\n", "\n"))
    tame(shown)
    for codes in SGR.findall(screen.text):
        assert codes in (
            "\x1b[0m",
            "\x1b[m",
            "\x1b[1m",
            "\x1b[2m",
            "\x1b[32m",
            "\x1b[33m",
            "\x1b[31m",
            "\x1b[1;31m",
            "\x1b[1;33m",
            "\x1b[1;36m",
        ), ascii(codes)
    if arguments[0] in ("run", "explain", "diff"):
        # A command to be copied is never broken.
        assert max(cell_len(line) for line in shown.split("\n") if not line.lstrip().startswith("ask: ")) <= columns


def test_the_columns_of_plain_tables_are_aligned(folder: Path) -> None:
    """Counted as rich counts, which is another way than ours."""
    text = ran(folder, ("run",), FILE, "plain").out
    for title in ("Queues", "Consumers"):
        head, *rows = text.partition(f"\n{title}\n")[2].partition("\n\n")[0].split("\n")
        number = head.split()[1] if title == "Consumers" else "type"
        at = head.index(number)
        for row in rows:
            columns, index = 0, 0
            while columns < at:
                step = 2 if row[index : index + 2] in ("🇩🇪",) else 1
                columns += cell_len(row[index : index + step])
                index += step
            assert columns == at, row
            assert row[index - 1] == " ", row
            assert row[index] != " ", row


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_widths_are_what_rich_counts(name: str) -> None:
    assert width(visible(name)) == sum(cell_len(character) for character in visible(name))


def test_json_has_the_names_as_they_are(folder: Path) -> None:
    names, declared = set(NAMES.values()), {cut(name) for name in NAMES.values()}
    run = json.loads(ran(folder, ("run",), FILE, "json").out)
    assert set(run["queues"]) == declared
    assert names <= set(run["messages"])
    assert set(run["consumers"]) <= names
    assert {run["messages"][name]["exchange"] for name in names} == declared
    events = [json.loads(line) for line in ran(folder, ("run",), FILE, "ndjson").out.splitlines()]
    assert {event["exchange"] for event in events if event["event"] == "exchange_declared"} >= declared
    assert events == run["events"]
    graph = json.loads(ran(folder, ("graph",), FILE, "json").out)
    assert {node["name"] for node in graph["nodes"] if node["kind"] == "queue"} == declared
    sweep = json.loads(ran(folder, ("run",), (*FILE, "--seeds", "1..3"), "json").out)
    assert set(sweep["waits_ms"]) <= declared
    exported = json.loads(within("export", "hostile.yaml", cwd=folder).out)
    assert {queue["name"] for queue in exported["queues"]} == declared
    for path, arguments, format in of_format("json", "sarif", "definitions"):
        done = ran(folder, path, arguments, format)
        if done.status != 2:
            assert done.out.isascii()
            for document in done.out.splitlines() if path == ("run",) else [done.out]:
                json.loads(document)


def test_a_celery_section_and_what_it_stands_for_run_alike(folder: Path) -> None:
    wanted = told(ran(folder, ("run",), ("celery.yaml",), "ndjson").out)
    for encoding in ("utf-8", "ascii", "cp1252"):
        expanded = ran(folder, ("celery", "expand"), ("celery.yaml",), "", encoding=encoding).out
        tame(expanded)
        (folder / f"{encoding}.yaml").write_text(expanded, encoding="utf-8")
        assert told(ran(folder, ("run",), (f"{encoding}.yaml",), "ndjson").out) == wanted
    assert {cut(name)[:100] for name in NAMES.values()} <= {event.get("worker", "")[1:] for event in wanted}


def told(out: str) -> list[dict[str, Any]]:
    """What happened; as what a step is shown differs."""
    events = [json.loads(line) for line in out.splitlines()]
    return [{**event, "text": ""} if event.get("event") == "step" else event for event in events]


def test_an_imported_app_has_the_names_as_they_are(folder: Path) -> None:
    for encoding in ("utf-8", "ascii"):
        imported = ran(folder, ("import celery",), ("hostile_app",), "", encoding=encoding).out
        tame(imported)
        (folder / "app.yaml").write_text(imported, encoding="utf-8")
        exported = json.loads(within("export", "app.yaml", cwd=folder).out)
        assert {queue["name"] for queue in exported["queues"]} >= {cut(name)[:200] for name in NAMES.values()}


def test_what_is_imported_is_what_was_exported(folder: Path) -> None:
    for encoding in ("utf-8", "ascii", "cp1252"):
        (folder / "again.yaml").write_bytes(
            ran(folder, ("import",), ("definitions.json",), "scenario", encoding=encoding).out.encode(encoding)
        )
        again = json.loads(ran(folder, ("export",), ("again.yaml",), "").out)
        assert again["queues"] == json.loads((folder / "definitions.json").read_text(encoding="utf-8"))["queues"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_junit_is_xml_and_holds_the_names(folder: Path, encoding: str) -> None:
    for path, arguments, format in of_format("junit"):
        out = ran(folder, path, arguments, format, encoding=encoding).out
        root = ElementTree.fromstring(out.encode(encoding) if encoding == "ascii" else out)
        assert {item.tag for item in root.iter()} <= {"testsuites", "testsuite", "testcase", "failure", "system-out", "skipped"}
        if arguments == FILE and path == ("run",):
            told = " ".join(item.attrib["name"] for item in root.iter("testcase"))
            for name in NAMES.values():
                assert visible(cut(name)) in told, name
        if len(arguments) == len(NAMES):
            assert [suite.attrib["name"] for suite in root] == [visible(name) for name in NAMES.values()]


@pytest.mark.parametrize("format", formats_of(VERIFY))
def test_verdicts(format: str) -> None:
    import io

    names = list(NAMES.values())
    found = [VerifyVerdict(name, name, difference=EngineDifference(name, name, [name], name, name), tries=1) for name in names]
    found += [VerifyVerdict(name, name, skipped=name) for name in names]
    out = io.StringIO()
    writer_of(format, VERIFY)(out, Verdicts(found, "3.10.8"), OutputStyle(False, None, False))
    tame(out.getvalue())
    if format == "json":
        assert [item["file"] for item in json.loads(out.getvalue())["verdicts"]] == names * 2
    elif format == "junit":
        assert [case.attrib["name"] for case in ElementTree.fromstring(out.getvalue())] == [visible(name) for name in names] * 2
    else:
        assert sum(line.startswith("✘") for line in out.getvalue().splitlines()) == len(names)


def test_svg_is_a_picture_and_nothing_else(folder: Path) -> None:
    for path, arguments, format in of_format("svg"):
        done = ran(folder, path, arguments, format)
        if done.status == 2:
            continue
        for item in ElementTree.fromstring(done.out).iter():
            assert item.tag.rpartition("}")[2] in {
                "svg",
                "title",
                "defs",
                "marker",
                "path",
                "rect",
                "text",
                "g",
                "style",
                "clipPath",
                "line",
                "circle",
                "tspan",
            }
            for attribute, value in item.attrib.items():
                assert not attribute.startswith("on")
                assert "href" not in attribute
                assert "script:" not in value
                assert re.fullmatch(r"[\w#%&;:,.()\s/<>=+-]*", value), value


MERMAID = re.compile(
    r"""flowchart\ LR | \ \ n\d+(\{\{"[^"<>]*(<br/>[^"<>]*)?"\}\}|\[\("[^"<>]*(<br/>[^"<>]*)?"\)\]|\(\["[^"<>]*(<br/>[^"<>]*)?"\]\)|\["[^"<>]*(<br/>[^"<>]*)?"\])
    |\ \ n\d+\ (-->|-\.->)\ ?(\|"[^"<>|]*"\|)?\ n\d+|\ \ classDef\ \w+\ [\w:#,-]+|\ \ class\ [n\d,]+\ \w+|\ \ linkStyle\ [\d,]+\ [\w:#,-]+""", re.VERBOSE,
)  # fmt: skip


def test_mermaid_stays_one_diagram(folder: Path) -> None:
    for path, arguments, format in of_format("mermaid"):
        done = ran(folder, path, arguments, format)
        for line in done.out.splitlines():
            assert MERMAID.fullmatch(line), line
            for text in re.findall(r'"([^"]*)"', line):
                assert re.fullmatch(r"(?:[^\W_]|[ .,\-_:/()=]|#\d+;|<br/>)*", text), text


DOT_STRING = r'"(?:[^"\\\n]|\\["\\n])*"'
DOT = re.compile(
    rf"digraph {DOT_STRING} \{{|  rankdir=LR;|  (?:node|edge) \[.*\];|  n\d+ \[label={DOT_STRING}, tooltip={DOT_STRING}(?:, \w+=(?:{DOT_STRING}|[\w.]+))*\];"
    rf"|  n\d+ -> n\d+ \[label={DOT_STRING}(?:, \w+=(?:{DOT_STRING}|[\w.]+))*\];|\}}"
)


def test_dot_stays_one_graph(folder: Path) -> None:
    for path, arguments, format in of_format("dot"):
        for line in ran(folder, path, arguments, format).out.splitlines():
            assert DOT.fullmatch(line), line


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_dot_as_it_was_meant(folder: Path) -> None:
    graph = json.loads(ran(folder, ("graph",), FILE, "json").out)
    read = subprocess.run(
        ["dot", "-Tjson0"], input=ran(folder, ("graph",), FILE, "dot").out, capture_output=True, text=True, check=True
    )
    found = json.loads(read.stdout)
    assert len(found["objects"]) == len(graph["nodes"])
    assert len(found["edges"]) == len(graph["edges"])
    labels = {item["tooltip"] for item in found["objects"]}
    assert {visible(node["name"]).replace("\\", "\\\\") for node in graph["nodes"]} == labels


COMMAND = re.compile(
    r"::(error|warning|notice)( (file|line|col|title)=[^:,\s][^:,\r\n]*(,(file|line|col|title)=[^:,\r\n]+)*)?::[^\r\n]*"
)


def test_github_s_commands_cannot_be_broken_out_of(folder: Path) -> None:
    for path, arguments, format in of_format("github"):
        lines = ran(folder, path, arguments, format).out.splitlines()
        for line in lines:
            assert COMMAND.fullmatch(line) or not (line.lstrip().startswith("::") or "##[" in line), line
            properties = re.match(r"::\w+ (.*?)::", line)
            if properties:
                assert (
                    len(re.findall(r"(?:^|,)(?:file|line|col|title)=", properties[1])) == properties[1].count("=")
                    or "title=" in properties[1]
                )
        if path == ("run",) and arguments == FILE:
            wanted = json.loads(ran(folder, path, arguments, "json").out)
            failed = sum(not item["ok"] for item in wanted["expectations"])
            assert sum(line.startswith("::error") for line in lines) >= failed > 0


TAP = re.compile(
    r"TAP version 14|1\.\.\d+|# Subtest: .*| {4}1\.\.\d+|(?: {4})?(?:not )?ok(?: \d+)? - (?:[^#\\]|\\.)*| {6}(?:---|\.\.\.|at:|\w+: \".*\")| {8}(?:file: \".*\"|line: \d+)"
)


def test_tap_has_one_line_for_each_of_its_lines(folder: Path) -> None:
    for path, arguments, format in of_format("tap"):
        out = ran(folder, path, arguments, format).out
        for line in out.splitlines():
            assert TAP.fullmatch(line), line
        for text in re.findall(r"^ {6}\w+: (\".*\")$", out, re.MULTILINE):
            json.loads(text)
        assert len(re.findall(r"^(?:not )?ok - ", out, re.MULTILINE)) == (len(NAMES) if "named-ansi.yaml" in arguments else 1)


def test_rich_s_markup_is_text(folder: Path) -> None:
    for path, arguments in ((("run",), FILE), (("explain", "queue"), (*FILE, NAMES["markup"]))):
        out = ran(folder, path, arguments, "table", COLUMNS="200").out
        assert NAMES["markup"] in out
