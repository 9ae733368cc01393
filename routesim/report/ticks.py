"""Round instants for a time axis of characters. Times in ms."""

STEPS = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
ROUND = (
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
)  # fmt: skip
BETWEEN = 10  # columns from one tick to the next, at least


def column_ms(end_ms: int, columns: int) -> int:
    """The shortest roundish time for a column with which 0 to `end_ms`, that instant included, needs no more columns."""
    scale = 1
    while True:
        for factor in STEPS:
            step = int(factor * scale)
            if step == factor * scale and end_ms // step < columns:
                return step
        scale *= 10


def ticks(end_ms: int, step: int, columns: int) -> list[int]:
    """Round instants from 0 on, wide enough apart for their labels."""
    least = step * min(BETWEEN, max(columns // 2, 1))
    between = next((each for each in ROUND if each >= least), None)
    if between is None:
        between = -(-least // ROUND[-1]) * ROUND[-1]
    return list(range(0, end_ms + 1, between))
