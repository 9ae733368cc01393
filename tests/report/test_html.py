"""The HTML report as a file: valid, closed, the same each time, complete without its script, and true to the run."""

import base64
import hashlib
import json
import os
import re
from pathlib import Path

import html5lib
import pytest
from kits.paths import SCENARIO_FILES, SCENARIOS
from kits.report import FAILING, NASTY, hostile_scenario, scenario_of, written

from routesim.report.html import story as story_module
from routesim.report.html.markup import data, element
from routesim.report.html.page import SCRIPTS
from routesim.report.html.panels import PANELS, panels
from routesim.report.html.plots import Series, event_axis, plot, time_axis
from routesim.report.html.story import Recorder, Story
from routesim.report.summary.summary import SECTIONS, sections
from routesim.run import Runner
from routesim.scenario import Scenario, load
from routesim.text import visible

GOLDEN = Path(__file__).parent / "goldens" / "shoes.html"
BREAKING_OUT = (
    *NASTY, "</script><script>window.hacked=1</script>", "<img src=x onerror=window.hacked=1>", '" onfocus="window.hacked=1" autofocus="',
    "</title></style></article>", "<!--<script>", "-->", "&#60;script&#62;",
)  # fmt: skip
XML = "{http://www.w3.org/1999/xhtml}"


def shoes() -> Scenario:
    return load(str(SCENARIOS / "shoes.yaml"))._replace(file="scenarios/shoes.yaml")


def tree(text: str) -> "html5lib.treebuilders.etree.Element":
    """Parsed as a browser does, and nothing in it is an error of HTML."""
    return html5lib.HTMLParser(strict=True).parse(text)


def texts(text: str, selector: str, within: str = "") -> list[str]:
    found = tree(text).findall(f".//{within}{selector}")
    return [" ".join(" ".join(item.itertext()).split()) for item in found]


# The file ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
def test_every_scenario_makes_a_valid_page(path: Path) -> None:
    text = written("html", load(str(path)))
    root = tree(text)
    ids = [item.attrib["id"] for item in root.iter() if "id" in item.attrib]
    assert len(ids) == len(set(ids))
    assert all("style" not in item.attrib for item in root.iter()), "the policy would block it"
    assert [item.text for item in root.iter(f"{XML}h3")][:2] == ["Topology", "Trace"]


def test_the_policy_lets_nothing_in_but_its_own_style_and_script() -> None:
    text = written("html", shoes(), scenario_of(FAILING))
    root = tree(text)
    policy = next(item.attrib["content"] for item in root.iter(f"{XML}meta") if "http-equiv" in item.attrib)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag, count in (("style", 1), ("script", len(SCRIPTS))):
        codes = [item.text for item in root.iter(f"{XML}{tag}") if item.attrib.get("type") != "application/json"]
        digests = [base64.b64encode(hashlib.sha256((code or "").encode()).digest()).decode() for code in codes]
        allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
        assert f"{tag}-src {allowed}; " in policy
        assert len(codes) == count
        assert all(code.isascii() for code in codes if code)
    assert not re.findall(r"""(?:src|href(?!="#)|action|srcset)=|url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)""", text)


def test_the_same_run_is_the_same_bytes_and_the_golden() -> None:
    text = written("html", shoes())
    assert text == written("html", shoes())
    static = re.sub(r"(?s)(<style>|<script>).*?(</style>|</script>)", r"\1\2", text)
    static = re.sub(r"sha256-[\w+/=]+", "sha256-...", static)
    static = re.sub(r"(<(?:li|h[1-4]|section|article|div|tr|g|path|figure|header|dl)\b)", r"\n\1", static)
    if os.environ.get("UPDATE_GOLDENS") == "1":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(static, encoding="utf-8")
    assert static == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_encoding_that_lacks_signs(encoding: str) -> None:
    text = written("html", shoes(), encoding=encoding)
    assert texts(text, f"{XML}article")[0] == texts(written("html", shoes()), f"{XML}article")[0]


def test_markup_is_made_of_text_by_escaping_alone() -> None:
    assert element("a", "<b>", element("i", "&"), None, title='"', x_y=1, hidden=True, no=False) == (
        '<a title="&quot;" x-y="1" hidden>&lt;b&gt;<i>&amp;</i></a>'
    )
    made = data(["</script>", "\u2028", "<!--", "\ud800"])
    assert not re.search("[<>&\u2028]", made)
    assert json.loads(made) == ["</script>", "\u2028", "<!--", "\ud800"]


@pytest.mark.parametrize("name", BREAKING_OUT, ids=ascii)
def test_no_name_breaks_out(name: str) -> None:
    text = written("html", hostile_scenario(name))
    plain = tree(written("html", hostile_scenario("plain")))
    root = tree(text)
    assert [item.tag for item in root.iter() if item.tag == f"{XML}script"] == [
        item.tag for item in plain.iter() if item.tag == f"{XML}script"
    ]
    assert {key for item in root.iter() for key in item.attrib} <= {key for item in plain.iter() for key in item.attrib}
    assert next(item.text for item in root.iter(f"{XML}h2")) == f"{visible(name)} "
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ufffe]", text)


# What it says --------------------------------------------------------------------------------------------------------


def test_the_trace_says_what_the_terminal_says() -> None:
    scenario = shoes()
    items = [item for item in texts(written("html", scenario), f"{XML}li") if re.match(r"\d+\.\d{3} ", item)]
    plain = written("plain", scenario).split("\n\nQueues")[0].splitlines()[2:]
    rows = [" ".join(line.split()) for line in plain]
    without_time = [re.sub(r"^\d+\.\d+ ", "", row) for row in rows]
    assert [re.sub(r"^\d+\.\d+ ", "", item) for item in items if "line " not in item][1:-1] == without_time
    assert next(item for item in items if " step " in item) == (
        "0.000 step 1 publish {exchange: shop, routing_key: ship.shoes, body: a pair, count: 2, every: 1s} line 31"
    )  # fmt: skip


def test_what_failed_is_there_with_its_reason() -> None:
    (failures,) = [item for item in texts(written("html", scenario_of(FAILING)), f"{XML}section") if item.startswith("Failures")]
    assert (
        "shop.yaml:8: queues.audit.ready is [m1] found [] because m1 did not reach audit: binding #.shoes of 'shop'" in failures
    )
    (expected,) = [
        item for item in texts(written("html", scenario_of(FAILING)), f"{XML}section") if item.startswith("Expectations")
    ]
    assert "✘ queues.audit.ready is [m1] but is [] line 8" in expected
    assert texts(written("html", scenario_of(FAILING)), f"{XML}strong") == ["✘ FAILED"]


def test_both_sides_of_the_ledger() -> None:
    (ledger,) = [item for item in texts(written("html", shoes()), f"{XML}section") if item.startswith("Ledger")]
    assert ledger == (
        "Ledger Publishes ✔ balances published 4 in 4 = routed 4 out 4 "
        "Copies in queues ✔ balances enqueued 6 dead letter copies 1 in 7 = ready 4 acked 2 dead lettered 1 out 7 lost 0"
    )


def test_quiet_tells_only_what_failed() -> None:
    text = written("html", scenario_of(FAILING), quiet=True)
    assert texts(text, f"{XML}h3") == ["Failures", "Expectations", "Errors"]
    assert 'class="replay"' not in text


def test_what_is_left_out_is_told_and_the_rest_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    many = "queues: {q: }\nconsumers: {c: {queue: q, takes: 2ms}}\nsteps: [publish: {routing_key: q, count: 40, every: 1ms}]\n"
    whole = written("html", scenario_of(many))
    monkeypatch.setattr(story_module, "MAX_MOMENTS", 30)
    text = written("html", scenario_of(many))
    assert whole.count('class="at ') == 40 * 4 + 3
    assert text.count('class="at ') == 30 + 2
    assert f"{40 * 4 + 1 - 30} more events are left out here." in text
    for title in ("Queues over time", "Ledger", "Queues at the end", "Consumers"):
        of_both = [[item for item in texts(each, f"{XML}section") if item.startswith(title)] for each in (whole, text)]
        assert of_both[0] == of_both[1] != []


def test_a_state_of_the_page_is_that_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last moment leads to the queues as they are at the end, also where moments are left out."""
    monkeypatch.setattr(story_module, "MAX_MOMENTS", 25)
    for path in SCENARIO_FILES:
        scenario = load(str(path))
        recorder = Recorder(scenario)
        result = Runner(scenario, recorder.hear).run()
        depths: dict[str, tuple[int, int]] = {}
        for moment in recorder.finished(result, kept=True).moments:
            depths.update(moment.depths)
        found = {name: (queue.ready_count(), queue.unacked) for name, queue in result.broker.queues.items()}
        assert {name: depths.get(name, (0, 0)) for name in found} == found, path.stem


def test_a_panel_is_a_row_in_a_table() -> None:
    assert [panel.title for panel in PANELS][:4] == ["Failures", "Left undone", "Topology", "Trace"]


def recorded(path: Path) -> Story:
    scenario = load(str(path))
    recorder = Recorder(scenario)
    return recorder.finished(Runner(scenario, recorder.hear).run(), kept=True)


def test_a_panel_finds_its_section_by_a_key_that_is_there() -> None:
    keys = [panel.draw for panel in PANELS if isinstance(panel.draw, str)]
    assert "queues" in keys
    assert set(keys) <= SECTIONS.keys()


def test_a_changed_title_of_a_section_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Titles are for people: the summary's may be worded anew, and the page still finds every section."""
    story = recorded(SCENARIO_FILES[0])
    before = panels(story)
    for key, make in SECTIONS.items():
        monkeypatch.setitem(SECTIONS, key, lambda result, make=make: make(result)._replace(title="otherwise"))
    assert {part.title for part in sections(story.result)} == {"otherwise"}
    assert [part.key for part in sections(story.result)] == [key for key in SECTIONS if SECTIONS[key](story.result).rows]
    titles = re.compile('aria-label="[^"]*, scrolls sideways"')
    assert [titles.sub("", part) for part in panels(story)] == [titles.sub("", part) for part in before]


# Plots ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ms", "title", "ticks"),
    [
        (3, "virtual time (ms)", ["0", "1", "2", "3"]),
        (1400, "virtual time (s)", ["0", "0.2", "0.4", "0.6", "0.8", "1", "1.2", "1.4"]),
        (90 * 60_000, "virtual time (min)", ["0", "20", "40", "60", "80"]),
        (40 * 86_400_000, "virtual time (days)", ["0", "5", "10", "15", "20", "25", "30", "35", "40"]),
    ],
)
def test_axes_of_time(ms: int, title: str, ticks: list[str]) -> None:
    axis = time_axis(ms)
    assert (axis.title, [axis.shown(tick) for tick in axis.ticks]) == (title, ticks)


def test_many_lines_become_six_and_the_rest_together() -> None:
    series = [Series(f"q{number}", [(0, 0), (5, number)]) for number in range(10)]
    text = plot("Ready", "messages", series, event_axis(10))
    assert [f"q{number} up to {number}" in re.sub("<[^>]*>", " ", text).replace("  ", " ") for number in range(10)] == [
        False
    ] * 4 + [True] * 6
    assert "3 others together" in text
    assert "1 more always 0" in text


def test_a_long_line_is_thinned_and_keeps_its_peak() -> None:
    points = [(at, 1000 if at == 77_777 else at % 7) for at in range(100_000)]
    text = plot("Ready", "messages", [Series("q", points)], time_axis(100_000))
    assert len(text) < 40_000
    assert re.search(r"V26\.0[HV]", text), "the peak is at the top"


# Colours -------------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours_can_be_read(dark: bool) -> None:
    """WCAG's AA: 4.5 for text, 3 for lines and borders that carry meaning."""
    style = (Path(story_module.__file__).parent / "assets/style.css").read_text(encoding="ascii")
    blocks = re.findall(r":root \{([^}]*)\}", style)
    of = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", blocks[1 if dark else 0]))
    text = ("ink", "soft", "good", "notice", "bad", "accent", *(f"s{number}" for number in range(7)))
    low = [(name, on) for name in text for on in ("page", "panel") if contrast(of[name], of[on]) < 4.5]
    low += [(name, "raised") for name in ("ink", "soft") if contrast(of[name], of["raised"]) < 4.5]
    low += [(name, "lit") for name in ("ink", "soft", "good", "notice", "bad", "accent") if contrast(of[name], of["lit"]) < 4.5]
    low += [(name, "panel") for name in ("dead-letter", "alternate", "binding") if contrast(of[name], of["panel"]) < 4.5]
    for kind in ("exchange", "queue", "consumer", "missing"):
        low += [(name, kind) for name in ("ink", "soft") if contrast(of[name], of[f"{kind}-fill"]) < 4.5]
        low += [(kind, f"{kind}-fill")] if contrast(of[kind], of[f"{kind}-fill"]) < 3 else []
    assert low == []


def test_a_ladder_of_delays_is_drawn_large_enough_to_be_read() -> None:
    """Without the levels that nothing waited in; as wide as it is, with keys of which the end is seen."""
    ladder = SCENARIOS / "celery" / "delayed-retry-is-stuck.yaml"
    text = written("html", load(str(ladder)))
    assert "26 queues in which no message ever was, and which nobody consumes, are left out here." in text
    drawing = next(item for item in tree(text).iter() if item.attrib.get("class") == "topology")
    assert drawing.attrib["width"] == drawing.attrib["viewBox"].split()[2]
    assert min(float(item.attrib["font-size"]) for item in drawing.iter() if "font-size" in item.attrib) >= 12
    labels = [item.text for item in drawing.iter() if item.text and "…" in item.text]
    assert any(text.endswith(".*.1.#") for text in labels)
    assert any(text.endswith(".*.0.#") for text in labels)
