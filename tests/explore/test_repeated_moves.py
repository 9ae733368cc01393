"""Moves that are not carried out, since what they look at is as it was when they were: the same as if each had been."""

import os

import pytest
from kits.paths import SCENARIOS
from kits.small_scenarios import small_scenario

from routesim.explore import Bounds, bounds_of
from routesim.explore.looking import expanding, repeating
from routesim.explore.looking.repeating import Repeated, Repeats
from routesim.explore.moves import Move, make
from routesim.explore.search import Search
from routesim.explore.world import World
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

DRAWN = 60 + int(os.environ.get("ROUTESIM_EXAMPLES", "0"))
MOST = 250  # states of one
FILES = [SCENARIOS / f"{name}.yaml" for name in ("crash-and-recover", "transactions", "explore/failover", "explore/done-twice")]
FOUND = ("known", "parents", "made", "sources", "targets", "ends", "found", "bad", "failed", "tried", "races")


def drawn(number: int) -> tuple[Scenario, Bounds]:
    text, failures = small_scenario(number)
    bounds = Bounds(failures=failures, max_states=MOST, any_time=number % 3 == 0, retry=number % 2 == 0)
    return load_source(Source("drawn.yaml", text), ""), bounds


def both(scenario: Scenario, bounds: Bounds, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search, and one in which nothing is repeated."""
    quick = Search(scenario, bounds)
    answer = quick.run()
    with monkeypatch.context() as patch:
        patch.setattr(Repeats, "find", lambda self, world, move: None)
        whole = Search(scenario, bounds)
        assert answer == whole.run()
    for name in FOUND:
        assert getattr(quick, name) == getattr(whole, name), name


@pytest.mark.parametrize("part", range(4))
def test_all_is_as_if_nothing_were_repeated(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3_000 + part, 3_000 + DRAWN, 4):
        both(*drawn(number), monkeypatch)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_same_of_files(path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load(str(path))
    both(scenario, bounds_of(scenario)._replace(max_states=400, failures=1), monkeypatch)


@pytest.mark.parametrize("part", range(4))
def test_what_is_repeated_is_what_the_broker_does(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To what tells states apart, and to what only shows in the order of what is said."""
    repeats = 0

    def checked(world: World, move: Move, change: Repeated) -> World:
        nonlocal repeats
        repeats += 1
        twin = world.copy()
        make(twin, move)
        found = repeating.repeated(world, move, change)
        assert found.fingerprint() == twin.fingerprint(), move
        one, other = found.in_pieces(), twin.in_pieces()
        assert [*one.looks.items()] == [*other.looks.items()], move
        assert [*one.connections.items()] == [*other.connections.items()], move
        assert found.facts.gone == twin.facts.gone
        return found

    monkeypatch.setattr(expanding, "repeated", checked)
    for number in range(116 + part, 116 + DRAWN // 2, 4):
        scenario, bounds = drawn(number)
        Search(scenario, bounds._replace(max_states=120)).run()
    assert repeats > 30


def test_what_parts_have_done_apart_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of queues that have nothing to do with each other the states are as many as there are combinations; what is carried out on
    a broker is hardly more with three of them than with two."""
    made = 0

    def counted(world: World, move: Move) -> object:
        nonlocal made
        made += 1
        return make(world, move)

    monkeypatch.setattr(repeating, "make", counted)
    counts = []
    for queues in (2, 3):
        names = [f"q{number}" for number in range(queues)]
        text = f"queues: {{{', '.join(f'{name}: ' for name in names)}}}\nconsumers:\n"
        text += "".join(f"  c{name}: {{queue: {name}, prefetch: 1}}\n" for name in names) + "steps:\n"
        text += "".join(f"  - publish: {{routing_key: {name}, id: m{name}, channel: p{name}, count: 2}}\n" for name in names)
        made = 0
        search = Search(load_source(Source("apart.yaml", text), ""), Bounds(failures=0))
        search.run()
        counts.append((len(search.known), made))
    (few, made_few), (many, made_many) = counts
    assert many > 4 * few
    assert made_many < 3 * made_few
