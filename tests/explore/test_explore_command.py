"""The command: its statuses, its bounds, what it refuses, what it writes."""

import json
from pathlib import Path

import pytest
from kits.cli import within

HOLDS = "queues: {q: }\nconsumers: {w: {queue: q}}\nsteps: [publish: {routing_key: q, id: m}]\n"
LOSES = HOLDS.replace("{queue: q}", "{queue: q, auto_ack: true}")
TWO_CHANNELS = """
queues: {q: }
consumers: {w: {queue: q, on_message: hold}}
steps:
  - publish: {routing_key: q, id: a, channel: one}
  - publish: {routing_key: q, id: b, channel: two}
expect: {queues: {q: {unacked: [a, b]}}}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in {"holds": HOLDS, "loses": LOSES, "two": TWO_CHANNELS}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("holds.yaml",), 0), (("loses.yaml",), 1), (("holds.yaml", "loses.yaml"), 1), (("holds.yaml", "--max-states", "3"), 3),
        (("loses.yaml", "--failures", "0"), 0), (("loses.yaml", "--failures", "restart=1,kill=1"), 1),
        (("holds.yaml", "--at-most-once"), 1), (("holds.yaml", "--at-most-once", "--failures", "0"), 0),
        (("two.yaml", "--failures", "0", "--property", "livelock", "--expect", "always"), 1),
        (("two.yaml", "--failures", "0", "--property", "livelock", "--expect", "sometimes"), 0),
        (("two.yaml", "--failures", "0", "--property", "livelock", "--expect", "reachable"), 1),
    ],
)  # fmt: skip
def test_statuses(files: Path, arguments: tuple[str, ...], status: int) -> None:
    done = within("explore", *arguments, cwd=files)
    assert done.status == status, done


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--failures", "10"), "at most 9"), (("--failures", "slow=1"), "'slow' is not explored"),
        (("--failures", "crush=1"), "did you mean 'crash'"), (("--failures=-1",), "a number from 0 to 9, or KIND=N"),
        (("--failures", "crash=x"), "a number from 0 to 9, or KIND=N"), (("--failures", "crash="), "not 'crash='"),
        (("--failures", "crash=-1"), "not 'crash=-1'"), (("--failures", "crash=10"), "from 0 to 9"), (("--failures", ""), "not ''"),
        (("--failures", "crash=1,crash=2"), "names crash twice"), (("--failures", "1,2"), "not '1,2'"), (("--failures", "nonsense=1"), "not 'nonsense'"),
        (("--max-states", "0"), "from 1 on"), (("--max-seconds", "nan"), "--max-seconds takes"), (("--max-seconds", "-1"), "from 0 on"),
        (("--property", "loss"), "--property takes lost"),
        (("--property", "unbounded"), "--most-ready N"),
        (("--expect", "never"), "--expect takes always"), (("--timing", "all"), "--timing takes earliest"),
        (("--write", "holds.yaml"), "--write would overwrite"), (("--write", "two.yaml"), "exists already"),
        (("--write", "nowhere/x.yaml"), "no folder in which one can write"),
    ],
)  # fmt: skip
def test_what_is_refused(files: Path, arguments: tuple[str, ...], told: str) -> None:
    done = within("explore", "holds.yaml", *arguments, cwd=files)
    assert done.status == 2
    assert told in done.err


@pytest.mark.parametrize(
    "text",
    [
        "broker: {kind: redis}\nqueues: {q: }\n",
        "queues: {q: }\nsteps: [publish: {routing_key: q, count: 20000}]\n",
    ],
)
def test_what_cannot_be_explored_is_refused(files: Path, text: str) -> None:
    (files / "refused.yaml").write_text(text, encoding="utf-8")
    done = within("explore", "refused.yaml", "--format", "json", cwd=files)
    assert done.status == 2, done
    (found,) = json.loads(done.out)["explorations"]
    assert found["refused"] is True
    assert [item["code"] for item in found["findings"]] == ["not-explored"]


def test_the_counterexample_is_written_once(files: Path) -> None:
    kept = ("explore", "loses.yaml", "--write", "kept.yaml")
    assert within(*kept, cwd=files).status == 1
    assert within("run", "kept.yaml", "-q", cwd=files).status == 0
    again = within(*kept, cwd=files)
    assert (again.status, "--force" in again.err) == (2, True)
    assert within(*kept, "--force", cwd=files).status == 1


def test_nothing_is_written_where_all_holds(files: Path) -> None:
    assert within("explore", "holds.yaml", "--write", "kept.yaml", cwd=files).status == 0
    assert not (files / "kept.yaml").exists()


def test_random_walks_are_the_same_by_their_seed_and_prove_nothing(files: Path) -> None:
    walked = [within("explore", "loses.yaml", "--walks", "40", "--seed", seed, "-f", "json", cwd=files) for seed in "772"]
    assert walked[0].out == walked[1].out != walked[2].out
    (found,) = json.loads(walked[0].out)["explorations"]
    assert [item["verdict"] for item in found["properties"]] == ["broken", "not decided", "not decided"]
    assert walked[0].status == 1
    assert within("explore", "holds.yaml", "--walks", "40", cwd=files).status == 3


def test_what_is_not_explored_is_in_the_last_line(files: Path) -> None:
    done = within("explore", "holds.yaml", cwd=files)
    last = done.out.strip().splitlines()[-1]
    assert "Not explored:" in last
    assert "real clocks, network partitions of a cluster, disk loss" in last
    assert "128 bits" in last


@pytest.mark.parametrize(
    ("text", "vacuous"),
    [
        ("queues: {q: }\nconsumers: {w: {queue: q}}\n", ["lost", "stuck"]),
        ("queues: {q: }\nsteps: [publish: {routing_key: q}]\n", ["stuck"]),
        (HOLDS + "until: steps\n", ["stuck"]), (HOLDS, []),
    ],
)  # fmt: skip
def test_what_no_state_has_asked_is_told(files: Path, text: str, vacuous: list[str]) -> None:
    (files / "little.yaml").write_text(text, encoding="utf-8")
    done = within("explore", "little.yaml", "-f", "json", cwd=files)
    (found,) = json.loads(done.out)["explorations"]
    assert [item["name"] for item in found["properties"] if item["verdict"] == "vacuous"] == vacuous


def test_each_of_several_is_named(files: Path) -> None:
    done = within("explore", "holds.yaml", "two.yaml", cwd=files)
    assert [line for line in done.out.splitlines() if ".yaml: " in line] == ["holds.yaml: holds", "two.yaml: two"]
    assert "holds.yaml" not in within("explore", "holds.yaml", cwd=files).out


def test_after_an_interruption_nothing_more_is_begun(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known is told, and the status says that it is not all."""
    from routesim.explore.search import Search

    begun: list[str] = []

    def bound(self: Search, expanded: int, depth: int, frontier: int) -> str:
        begun.append(self.scenario.file)
        return "interrupted"

    monkeypatch.setattr(Search, "_bound", bound)
    done = within("explore", "holds.yaml", "two.yaml", "--no-cures", "--format", "json", cwd=files)
    assert done.status == 3
    assert set(begun) == {"holds.yaml"}
    first, second = json.loads(done.out)["explorations"]
    assert (first["stopped_by"], second["file"]) == ("interrupted", "two.yaml")
    assert "two.yaml" in done.err


def test_what_is_not_explored_is_said(files: Path) -> None:
    last = within("explore", "holds.yaml", cwd=files).out.splitlines()[-1]
    assert "close_channel, expire, delete_queue, full, hang, die" in last


@pytest.mark.parametrize(("keys", "broken"), [(("one", "two"), {"order"}), (("one", "one"), {"order", "order-by-key"})])
def test_order_is_asked_of_a_queue_or_of_a_key(tmp_path: Path, keys: tuple[str, str], broken: set[str]) -> None:
    """Two hands finish in any order: among messages of different keys that is no disorder by key."""
    (tmp_path / "x.yaml").write_text(
        "exchanges: {x: topic}\nqueues: {q: }\nbindings: [{source: x, destination: q, routing_key: '#'}]\n"
        "consumers: {w: {queue: q, prefetch: 2, concurrency: 2, takes: 1s}}\nsteps:\n"
        + "".join(f"  - publish: {{exchange: x, routing_key: {key}, id: m{number}}}\n" for number, key in enumerate(keys)),
        encoding="utf-8",
    )
    asked = ("--property", "order", "--property", "order-by-key")
    done = within("explore", "x.yaml", *asked, "--format", "json", "--no-cures", cwd=tmp_path)
    (found,) = json.loads(done.out)["explorations"]
    assert {item["name"] for item in found["properties"] if item["verdict"] == "broken"} == broken


def test_the_page_of_one_opens_with_its_verdict_and_leads_to_the_run(files: Path) -> None:
    one = within("explore", "loses.yaml", "--format", "html", cwd=files).out
    assert one.count(" data-opens") == 1
    assert 'href="#1-1-lost"' in one
    assert 'data-slug="1-1-lost"' in one
    several = within("explore", "loses.yaml", "holds.yaml", "--format", "html", cwd=files).out
    assert " data-opens" not in several


FANOUT = """
exchanges: {news: fanout}
queues: {a: {auto_delete: true}, b: }
bindings: [{source: news, destination: a}, {source: news, destination: b}]
consumers: {first: {queue: a}, second: {queue: b, takes: 1s}}
steps: [{publish: {exchange: news, id: n}}]
"""


def test_of_several_queues_it_is_said_that_the_work_from_one_counts(tmp_path: Path) -> None:
    (tmp_path / "fan.yaml").write_text(FANOUT)
    (tmp_path / "each.yaml").write_text(FANOUT + "never: [{lost: true}]\n")
    done = within("explore", "fan.yaml", "--no-cures", cwd=tmp_path)
    assert done.status == 0
    assert "Not explored: copies of a message that are lost while its work is done from another queue" in done.out
    done = within("explore", "each.yaml", "--no-cures", cwd=tmp_path)
    assert done.status == 1
    assert "\n✘  never: no message is lost\n" in done.out
    assert "a copy of it is lost: it is deleted with a" in done.out
    assert "copies of a message" not in done.out
    assert "The same failure is harmless at 4 of 4 other moments." in done.out


def test_of_a_search_that_was_ended_it_is_said_how_much_is_known(files: Path) -> None:
    done = within("explore", "holds.yaml", "--max-states", "9", "--format", "json", cwd=files)
    [found] = json.loads(done.out)["explorations"]
    assert found["frontier"] > 0
    text = within("explore", "holds.yaml", "--max-states", "9", cwd=files).out
    said = f"all that takes at most {found['depth']} moves is known, {found['frontier']} states still to be looked at"
    assert said in text
