"""How much is measured: all of it, or next to nothing so that a test can see that every section still works."""

from typing import NamedTuple


class Scale(NamedTuple):
    """`budget_s`: for a pair of works that are longer than a slice. `sizes`: numbers of bindings, of which `small` and
    `large` are compared; up to `peer_sizes` bindings kombu is asked too."""

    slice_s: float
    pairs: int
    least_pairs: int
    budget_s: float
    processes: int  # rounds of whole processes
    commanded: int  # messages of a run through the command line
    long: int  # messages of a run that is to show how many there are a second
    short: int  # and of one that is soon over
    few: int  # messages of the two streamed runs whose memory is compared
    many: int
    backlog: int  # messages that wait in queues
    sizes: tuple[int, ...]
    hash_sizes: tuple[int, ...]
    peer_sizes: tuple[int, ...]
    small: int
    large: int
    lines: int  # of the generated scenario
    defined: int  # bindings of the generated definitions file
    tasks: int  # of Celery
    growing: int  # the smaller of the two sizes of a scenario that grows


FULL = Scale(
    slice_s=0.040, pairs=41, least_pairs=3, budget_s=10.0, processes=15, commanded=300_000, long=50_000, short=500, few=20_000, many=2_000_000,
    backlog=200_000, sizes=(10, 100, 1_000, 10_000, 100_000, 1_000_000), hash_sizes=(1_000, 10_000, 100_000, 1_000_000),
    peer_sizes=(1_000, 10_000), small=1_000, large=1_000_000, lines=10_000, defined=1_000_000,
    tasks=100_000, growing=250,
)  # fmt: skip
QUICK = FULL._replace(
    pairs=15, budget_s=2.0, processes=5, tasks=20_000, many=500_000, large=250_000, defined=250_000,
    sizes=(10, 1_000, 100_000), hash_sizes=(1_000, 100_000),
)  # fmt: skip
TINY = Scale(
    slice_s=0.001, pairs=3, least_pairs=1, budget_s=0.001, processes=1, commanded=200, long=20, short=10, few=50, many=200,
    backlog=200, sizes=(10, 50), hash_sizes=(10, 50),
    peer_sizes=(10,), small=10, large=50, lines=80, defined=50, tasks=20, growing=4,
)  # fmt: skip
