"""What the page of a run is made of, without a browser: where it opens, what it folds, how edges are parted, who ran what."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.large_topology import LOST_TASK, of_45_queues, of_alike_queues
from kits.paths import SCENARIO_FILES, SCENARIOS
from kits.report import scenario_of, written

from routesim.graph import Edge, Graph, Key, Node
from routesim.graph.layout import laid_out
from routesim.graph.model import BINDING, CONSUMER, EXCHANGE, QUEUE
from routesim.report.graphs.ports import parted
from routesim.report.html.story import Recorder, Story
from routesim.report.html.topology_panel import replay
from routesim.run import Runner
from routesim.run.verdicts import OK, verdict_of
from routesim.scenario import load

SHOES = (SCENARIOS / "shoes.yaml").read_text(encoding="utf-8")


def story_of(text: str) -> Story:
    scenario = scenario_of(text)
    recorder = Recorder(scenario)
    return recorder.finished(Runner(scenario, recorder.hear).run(), kept=True)


# Where it opens ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "event", "message"),
    [
        (SHOES.replace("ready: [m1, m2]", "ready: [m1]"), "enqueued", "m2"),
        (SHOES.replace("m1: {warehouse: acked", "m1: {warehouse: ready"), "acked", "m1"),
        ("exchanges: {shop: topic}\nsteps: [publish: {exchange: shop, routing_key: a, id: lonely}]\n", "UNROUTABLE", "lonely"),
        ("queues: {q: }\nsteps: [publish: {routing_key: q}, publish: {routing_key: q}]\nnever: [{lost: true}, {reaches: q}]\n",
         "enqueued", "m1"),
        ("queues: {q: }\nsteps: [declare: {queues: {q: {durable: false}}}]\n", "CHANNEL CLOSED", ""),
    ],
    ids=["queue", "message", "lost", "never", "error"],
)  # fmt: skip
def test_it_opens_at_what_failed_first(text: str, event: str, message: str) -> None:
    story = story_of(text)
    row = story.moments[story.opening].row
    assert row is not None
    assert (row.event, row.message) == (event, message)


def test_what_is_ok_opens_at_its_beginning() -> None:
    for path in SCENARIO_FILES:
        scenario = load(str(path))
        recorder = Recorder(scenario)
        story = recorder.finished(Runner(scenario, recorder.hear).run(), kept=True)
        assert (story.opening == 0) >= (verdict_of(story.result) == OK), path.stem


# What is folded ----------------------------------------------------------------------------------------------------------


def test_each_drawing_shows_every_key_that_it_has_once() -> None:
    for text in (SHOES, LOST_TASK, of_45_queues(), of_alike_queues()):
        story = story_of(text)
        told = replay(story)
        for drawing, picture in zip(told["drawings"], story.drawings, strict=True):
            assert len(drawing["of_key"]) == len(story.whole.nodes) == len(told["keys"])
            assert set(drawing["of_key"]) - {-1} == set(range(len(picture.graph.nodes)))
            assert set(drawing["of_edge"]) - {-1} == set(range(len(picture.graph.edges)))
        assert all(number >= 0 for number in told["drawings"][-1]["of_key"]), "the last drawing folds nothing"


def test_what_is_folded_away_at_first() -> None:
    assert [len(picture.graph.nodes) for picture in story_of(SHOES).drawings] == [len(story_of(SHOES).whole.nodes)]
    assert [len(picture.graph.nodes) for picture in story_of(of_alike_queues()).drawings] == [2, 13]
    first, whole = (picture.graph for picture in story_of(of_45_queues()).drawings)
    assert {key.kind for key in first.nodes} == {EXCHANGE, QUEUE}
    assert first.nodes[Key(QUEUE, "mail.process")].detail == "quorum to mail-worker"
    assert sum(key.kind == CONSUMER for key in whole.nodes) == 15
    few, many = (picture.graph for picture in story_of(LOST_TASK).drawings)
    assert {key.name for key in many.nodes} - {key.name for key in few.nodes} == {
        "celery.pidbox", "reply.celery.pidbox", "celeryev", "w1.celery.pidbox", "celeryev.w1", "w1:w1.celery.pidbox", "w1:celeryev.w1",
    }  # fmt: skip


def test_rows_of_what_workers_tell_each_other_are_marked() -> None:
    marked = [moment.row for moment in story_of(LOST_TASK).moments if moment.stage and moment.row is not None]
    assert marked
    assert not [row for row in marked if row.message in ("c1", "s1")]
    assert not any(moment.stage for moment in story_of(SHOES).moments), "only workers have anything of that kind"


# Edges -------------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 5), st.integers(6, 14)), min_size=1, max_size=30))
def test_edges_that_meet_at_a_side_are_parted_in_their_order(pairs: set[tuple[int, int]]) -> None:
    keys = [Key(EXCHANGE if number < 6 else QUEUE, f"n{number}") for number in range(15)]
    edges = tuple(Edge(keys[source], keys[target], BINDING) for source, target in sorted(pairs))
    graph = Graph("", {key: Node(key) for key in keys}, edges)
    before = laid_out(graph, dict.fromkeys(keys, (100.0, 46.0)), {})
    after = parted(before)
    assert after.nodes == before.nodes
    ends: dict[tuple[Key, float], list[float]] = {}
    for route in after.routes:
        for key, point in ((route.edge.source, route.points[0]), (route.edge.target, route.points[-1])):
            box = after.nodes[key]
            assert abs(point[1] - box.y) <= box.height / 2
            ends.setdefault((key, point[0]), []).append(point[1])
    for heights in ends.values():
        assert len({round(height, 3) for height in heights}) == len(heights)


# Who ran what ------------------------------------------------------------------------------------------------------------


def test_a_timeline_has_a_bar_for_each_run_and_a_sign_for_each_that_was_killed() -> None:
    text = written("html", load(str(SCENARIOS / "celery" / "connection-blip-runs-twice.yaml")))
    assert text.count('class="run-bar good"') == 6
    assert "☠" not in text.split("<script")[0]
    text = written("html", scenario_of(LOST_TASK))
    assert text.count('class="run-bar bad"') == 1
    assert "c1: orders.tasks.charge in child 1 of w1, from 0 s to 5 s, killed with its worker" in text


def test_without_workers_there_is_no_timeline() -> None:
    assert "run-bar" not in written("html", scenario_of(SHOES)).split("</style>")[1].split("<script>")[0]
