"""`explain` answers from the matchers that route, and says it so that a script and a person can use it."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from kits.paths import ROOT, SCENARIOS

from routesim.cli.main import _status
from routesim.exchanges import EXCHANGE_TYPES
from routesim.exchanges.topic import align, matches, words_of
from routesim.explain.pages.codes import explain_error
from routesim.explain.pages.errors import PAGES
from routesim.explain.pages.reply_codes import REPLIES
from routesim.explain.routes.mistakes import mistakes_in_key, mistakes_in_pattern
from routesim.explain.routes.route import explain_route
from routesim.explain.routes.topic import explain_topic, nearest_change
from routesim.replies import REPLY_NAMES
from routesim.scenario import load
from routesim.versions import rules

SHOES = str(SCENARIOS / "shoes.yaml")
RECORDED = ROOT / "tests" / "conformance" / "recorded"


def ask(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    status = _status(["explain", *arguments])
    return status, out.getvalue(), err.getvalue()


def answer(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, Any]:
    status, out, err = ask(monkeypatch, arguments[0], "--format", "json", *arguments[1:])
    assert status in (0, 1), err
    found: dict[str, Any] = json.loads(out)
    return found


def recorded(name: str) -> list[Any]:
    return [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


# Must agree with the broker ------------------------------------------------------------------------------------------


def test_every_recorded_topic_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    by_key: dict[str, list[Any]] = {}
    for pair in recorded("topic-pairs"):
        by_key.setdefault(pair["key"], []).append(pair)
    for key, pairs in by_key.items():
        found = answer(monkeypatch, "topic", "--rabbitmq", "3.10", "--", key, *(pair["pattern"] for pair in pairs))
        assert [item["match"] for item in found["patterns"]] == [pair["match"] for pair in pairs], key
        assert [item["pattern"] for item in found["patterns"]] == [pair["pattern"] for pair in pairs]


def test_every_recorded_headers_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    for pair in recorded("headers-pairs"):
        criteria = ",".join(f"{key}:={json.dumps(value)}" for key, value in pair["binding_args"].items())
        headers = [part for key, value in (pair["headers"] or {}).items() for part in ("-H", f"{key}:={json.dumps(value)}")]
        found = answer(monkeypatch, "headers", "--rabbitmq", "3.10", *headers, "--", criteria) if criteria else None
        if found is not None:
            assert found["patterns"][0]["match"] is pair["match"], pair


# Topics --------------------------------------------------------------------------------------------------------------

WORDS = ("a", "b", "")
PARTS = ("a", "b", "*", "#", "")


def keys(alphabet: tuple[str, ...], longest: int) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for _ in range(longest):
        found += [[*key, word] for key in found for word in alphabet if len(key) == max(len(item) for item in found)]
    return [list(key) for key in dict.fromkeys(tuple(key) for key in found)]


def test_the_alignment_of_a_match_takes_every_word_once() -> None:
    checked = 0
    for pattern in keys(PARTS, 4):
        for words in keys(WORDS, 3):
            parts = align(pattern, words)
            if matches(pattern, words):
                checked += 1
                assert [part.word for part in parts] == pattern
                assert [word for part in parts for word in part.takes] == words
                assert not any(part.decides for part in parts)
                assert all(len(part.takes) == 1 for part in parts if part.word != "#")
            elif parts and parts[-1].decides:
                assert sum(part.decides for part in parts) == 1
    assert checked > 1000


def test_the_nearest_change_always_matches() -> None:
    for pattern in keys(PARTS, 3):
        for words in keys(WORDS, 3):
            if not matches(pattern, words):
                change = nearest_change(".".join(pattern), ".".join(words))
                assert change is not None
                assert matches(words_of(change), words_of(".".join(words))), (pattern, words, change)


@pytest.mark.parametrize(
    ("pattern", "change"),
    [("ship.any", "ship.*"), ("ship*", "ship.*"), ("ship/*", "ship.*"), ("ship.%", "ship.*"), ("SHIP.shoes", "ship.shoes"),
     ("ship", "ship.*"), ("ship.shoes.", "ship.shoes"), ("**", "#")],
)  # fmt: skip
def test_the_nearest_change_is_the_one_that_people_would_make(pattern: str, change: str) -> None:
    assert nearest_change(pattern, "ship.shoes") == change


@pytest.mark.parametrize(
    ("pattern", "says"),
    [("ship*", "word of its own"), ("ship.%", "%"), ("ship/shoes", "slashes"), ("ship.(a|b)", "regular expressions"),
     ("**", "plain word"), ("Ship.Shoes", "case"), ("ship.shoes.", "empty word"), ("ship.+", "regular expressions"), ("##", "write #")],
)  # fmt: skip
def test_mistakes_have_their_own_hint(pattern: str, says: str) -> None:
    assert any(says in hint for hint in mistakes_in_pattern(pattern, "ship.shoes")), list(
        mistakes_in_pattern(pattern, "ship.shoes")
    )


def test_a_healthy_pattern_has_no_hint() -> None:
    for pattern in ("ship.*", "#", "ship.shoes", "*.shoes.#"):
        assert list(mistakes_in_pattern(pattern, "ship.shoes")) == []


def test_wildcards_in_a_key_are_words() -> None:
    assert any("ordinary words" in hint for hint in mistakes_in_key("ship.#"))
    assert not list(mistakes_in_key("ship.shoes"))


def test_too_many_hashes_are_refused_from_4_3_5() -> None:
    for version, refused in (("4.3.4", False), ("4.3.5", True), ("3.10", False)):
        found = explain_topic("a.b", ["#.a.#.b.#"], rules(version)).data["patterns"][0]
        assert (found["refused"] is not None) is refused


def test_without_patterns_it_teaches(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(monkeypatch, "topic", "ship.shoes")
    by_pattern = {item["pattern"]: item["match"] for item in found["patterns"]}
    assert by_pattern["ship.*"]
    assert by_pattern["#"]
    assert not by_pattern["ship*"]
    assert all(matches(words_of(pattern), ["ship", "shoes"]) is match for pattern, match in by_pattern.items())


@pytest.mark.parametrize("kind", [kind for kind in EXCHANGE_TYPES if kind not in ("topic", "headers")])
def test_there_is_a_command_for_every_type(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    bindings = {"x-consistent-hash": ["q=1", "r=2"], "x-local-random": [""]}.get(kind, ["a", "b"])
    found = answer(monkeypatch, kind, "a", *bindings)
    assert len(found["patterns"]) == len(bindings)
    assert all(item["reason"]["code"] and item["reason"]["text"] for item in found["patterns"])
    if kind in ("x-consistent-hash", "x-modulus-hash"):
        assert sum(item["match"] for item in found["patterns"]) == 1


# Routes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("ship.shoes", "--expect-queue", "audit", "--expect-queue", "warehouse"), 0),
        (("ship.shoes", "--expect-queue", "audit"), 1),
        (("ship.shoes", "--expect-nothing"), 1),
        (("refund", "--expect-queue", "unrouted"), 0),
        (("ship.shoes",), 0),
    ],
)
def test_a_route_can_be_held_fast_in_one_line(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int) -> None:
    assert ask(monkeypatch, "route", SHOES, "--exchange", "shop", *arguments)[0] == status


BOUND = """
exchanges: {shop: topic, other: direct}
queues: {shoes: , boots: , lone: }
bindings:
- {source: shop, destination: shoes, routing_key: ship.*}
- {source: other, destination: boots, routing_key: b}
"""


@pytest.mark.parametrize(
    ("arguments", "reasons"),
    [
        (("shop", "ship.red", "--expect-queue", "lone"), [
            "lone is not reached: no binding leads there from exchange 'shop', nor from any other: only the default exchange "
            "reaches it, by its name",
            "shoes is reached: binding ship.* of 'shop' (line 5) matches",
        ]),
        (("shop", "ship.red", "--expect-queue", "boots", "--expect-queue", "shoes"), [
            "boots is not reached: no binding leads there from exchange 'shop'; it is bound by b of 'other' (line 6)",
        ]),
        (("other", "a", "--expect-queue", "boots"), [
            "boots is not reached: binding b of 'other' (line 6): 'b' is not 'a'",
        ]),
        (("shoes", "--expect-queue", "lone"), [
            "lone is not reached: the default exchange takes shoes for the name of a queue",
            "shoes is reached: the routing key is its name",
        ]),
        (("shoes", "--expect-queue", "shoes"), []),
    ],
)  # fmt: skip
def test_of_a_queue_that_is_not_reached_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], reasons: list[str]
) -> None:
    path = tmp_path / "bound.yaml"
    path.write_text(BOUND)
    monkeypatch.chdir(tmp_path)
    status, out, _ = ask(monkeypatch, "route", path.name, *arguments, "--format", "json")
    assert (status, json.loads(out)["reasons"]) == (1 if reasons else 0, reasons)


def test_a_route_tells_hits_misses_and_alternates(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(monkeypatch, "route", SHOES, "--exchange", "shop", "refund")
    shop, unrouted = found["exchanges"]
    assert [binding["match"] for binding in shop["bindings"]] == [False, False]
    assert shop["alternate_taken"]
    assert unrouted["exchange"] == "shop.unrouted"
    assert found["queues"] == ["unrouted"]


def test_what_comes_later_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(monkeypatch, "route", SHOES, "--exchange", "shop", "ship.boots")
    ways = {(item["queue"], item["reason"]): item["queues"] for item in found["later"]["warehouse"]}
    assert ways["warehouse", "rejected"] == ["parked"]
    assert ways["parked", "delivery_limit"] == []


def test_a_loop_is_called_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.write_text("""
queues:
  work: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: retry}}
  retry: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: work, x-message-ttl: 1000}}
""")
    found = answer(monkeypatch, "route", str(path), "work")
    ways = {(item["queue"], item["reason"]): item for item in found["later"]["work"]}
    assert ways["retry", "expired"]["queues"] == ["work"]
    assert ways["retry", "expired"]["loops"]


def test_nowhere_says_what_would_have_helped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "exchanges: {shop: topic}\nqueues: {q: }\nbindings: [{source: shop, destination: q, routing_key: ship.any}]\n"
    )
    status, out, _ = ask(monkeypatch, "route", str(path), "-e", "shop", "ship.shoes")
    assert status == 0
    assert "bound as ship.* it would match" in out


def test_the_default_exchange_has_no_alternate_exchange_by_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    for pattern, said in ((".*", True), ("^shop$", False)):
        path.write_text(f"""
exchanges: {{shop: fanout, rest: fanout}}
queues: {{r: }}
bindings: [{{source: rest, destination: r}}]
policies: [{{name: catch, pattern: "{pattern}", definition: {{alternate-exchange: rest}}}}]
""")
        found = explain_route(load(str(path)), "", "nobody", None)
        assert found.data["queues"] == []
        assert any("never used there" in hint for hint in found.hints) is said


def test_many_bindings_show_hits_and_the_nearest_misses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    bindings = "".join(f"  - {{source: x, destination: q, routing_key: a.{number}.b}}\n" for number in range(3000))
    path.write_text(f"exchanges: {{x: topic}}\nqueues: {{q: }}\nbindings:\n{bindings}")
    found = answer(monkeypatch, "route", str(path), "-e", "x", "a.7.b")
    (exchange,) = found["exchanges"]
    assert [item["pattern"] for item in exchange["bindings"] if item["match"]] == ["a.7.b"]
    assert exchange["bindings_left_out"] + len(exchange["bindings"]) == 3000
    assert len(exchange["bindings"]) < 30


# Messages, queues, errors --------------------------------------------------------------------------------------------


def test_the_life_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(monkeypatch, "message", SHOES, "m3")
    assert found["states"] == {"warehouse": "dead-lettered: rejected", "parked": "ready"}
    assert [item["event"] for item in found["story"]] == [
        "published", "enqueued", "confirmed", "delivered", "rejected", "dead_lettered", "enqueued",
    ]  # fmt: skip


def test_a_queue_tells_who_won(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("""
queues: {jobs: {arguments: {x-max-length: 50, x-message-ttl: 10}}}
policies: [{name: p, pattern: jobs, definition: {max-length: 20, message-ttl: 100}}]
operator_policies: [{name: cap, pattern: jobs, apply-to: queues, definition: {max-length: 5}}]
steps: [{publish: {routing_key: jobs, count: 7}}]
""")
    found = answer(monkeypatch, "queue", str(path), "jobs")
    assert found["settings"]["max_length"] == {"value": 5, "from": "operator policy"}
    assert found["settings"]["message_ttl"] == {"value": 10, "from": "argument"}
    assert {"at_ms": 0, "ready": 5, "unacked": 0} in found["over_time"]


def test_every_code_has_a_page() -> None:
    files = [path for part in ("scenario", "check", "cli/explorers") for path in (ROOT / "routesim" / part).rglob("*.py")]
    files.append(ROOT / "routesim/explain/failing/losses.py")
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    for code in PAGES:
        assert explain_error(code).data["code"] == code
        assert f'"{code}"' in source or code in ("unknown-exchange", "unknown-queue", "unknown-policy"), f"{code} is never said"
    for number, name in REPLY_NAMES.items():
        assert number in REPLIES
        assert explain_error(name).data == explain_error(str(number)).data


@pytest.mark.parametrize(
    "arguments",
    [("message", SHOES, "m99"), ("queue", SHOES, "warehose"), ("route", SHOES, "-e", "shpo", "a"), ("error", "unknwon-queue"),
     ("topic", "a", "--rabbitmq", "2.8"), ("headers", "-H", "nothing"), ("headers", "-H", "a:=b"), ("route", "nosuch.yaml", "a")],
)  # fmt: skip
def test_what_is_not_there_is_status_2_with_a_line(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    status, out, err = ask(monkeypatch, *arguments)
    assert (status, out) == (2, "")
    assert err.strip()
    assert "internal error" not in err
