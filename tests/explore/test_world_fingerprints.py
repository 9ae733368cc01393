"""Two states with equal fingerprints behave alike for ever: each move leads them to states with equal fingerprints again."""

from collections import deque

import pytest
from kits.paths import SCENARIOS
from kits.small_scenarios import small_scenario

from routesim.explore import Bounds, bounds_of
from routesim.explore.moves import Move, make, moves
from routesim.explore.root import root_of
from routesim.explore.search import digest
from routesim.explore.world import World
from routesim.scenario import load, load_source
from routesim.scenario.yaml.source import Source

MOST = 400  # states of one scenario
NAMES = ["work-queue", "single-active-consumer", "retry-with-ttl", "priorities", "flaky-worker", "consistent-hash", "transactions",
         "overflow-drop-head", "exclusive-queue", "direct-reply-to", "stream-replay", "crash-and-recover"]  # fmt: skip
PLAIN = [path for path in sorted((SCENARIOS / "explore").glob("*.yaml")) if not path.stem.startswith("celery")]
FILES = [*PLAIN, *(SCENARIOS / f"{name}.yaml" for name in NAMES)]


def after(world: World) -> dict[Move, bytes]:
    """What each move leads to."""
    found = {}
    own, failures = moves(world)
    for move in (*own, *failures):
        copied = world.copy()
        make(copied, move)
        found[move] = digest(copied)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_states_that_look_alike_go_on_alike(path) -> None:
    scenario = load(str(path))
    met_again, states = gone_through(root_of(scenario, bounds_of(scenario)), MOST)
    assert met_again or states < 20


@pytest.mark.parametrize("part", range(4))
def test_states_of_random_scenarios_that_look_alike_go_on_alike(part: int) -> None:
    met_again = 0
    for number in range(1_000 + part, 1_080, 4):
        text, failures = small_scenario(number)
        scenario = load_source(Source("drawn.yaml", text), "")
        met_again += gone_through(root_of(scenario, Bounds(failures=failures, any_time=number % 3 == 0)), 60)[0]
    assert met_again > 100


def gone_through(root: World, most: int) -> tuple[int, int]:
    """How many states were met again, each of which was to go on as the first that looked like it; and how many there were."""
    known = {digest(root): after(root)}
    todo, met_again = deque([root]), 0
    while todo and len(known) < most:
        world = todo.popleft()
        own, failures = moves(world)
        for move in (*own, *failures):
            copied = world.copy()
            make(copied, move)
            key = digest(copied)
            if key in known:
                met_again += 1
                assert after(copied) == known[key], move
            else:
                known[key] = after(copied)
                todo.append(copied)
    return met_again, len(known)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_copy_is_the_same_state_and_goes_its_own_way(path) -> None:
    scenario = load(str(path))
    world = root_of(scenario, bounds_of(scenario))
    for _ in range(12):
        before = digest(world)
        twin = world.copy()
        assert digest(twin) == before
        own, failures = moves(world)
        for move in (*own, *failures):
            make(world.copy(), move)
        assert digest(world) == before, "what a copy does changes nobody else"
        if not own:
            break
        make(world, own[-1])
        make(twin, own[-1])
        assert digest(twin) == digest(world)


def test_names_of_instants_and_tags_make_no_difference() -> None:
    """A consumer that has given a message back and got it again is where it was before, but for the flag `redelivered`."""
    text = (
        "queues: {q: }\nconsumers: {w: {queue: q, prefetch: 1, on_message: requeue}}\nsteps: [publish: {routing_key: q, id: m}]\n"
    )
    world = root_of(load_source(Source("s.yaml", text), ""), Bounds())
    seen = []
    for _ in range(4):
        make(world, moves(world)[0][0])
        seen.append(digest(world))
    assert seen[0] != seen[1] == seen[2] == seen[3]
