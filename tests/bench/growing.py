"""What a scenario costs that is four times as large: the kinds of kits/growth.py, which tests/run/test_growth.py counts too."""

import importlib
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rows import Row, at_most, duration
from scale import Scale

from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

TITLE = "Growth of loading and running"


def measure(scale: Scale) -> Iterator[Row]:
    sys.path.append(str(Path(__file__).parents[1]))
    kinds = importlib.import_module("kits.growth").KINDS
    size = scale.growing
    for kind in kinds:
        texts = kind(size), kind(4 * size)
        _seconds(texts[0])
        # The least of several: whatever else the machine does only adds to it.
        small, large = (min(_seconds(text) for _ in range(scale.least_pairs)) for text in texts)
        name = str(kind.__name__).replace("_", " ")
        exponent = math.log(large / small) / math.log(4)
        yield Row(
            f"{name}, {4 * size:,}", duration(large), goal=at_most("n to the", 1.25), value=exponent, shown=f"n^{exponent:.2f}"
        )


def _seconds(text: str) -> float:
    begin = time.process_time()
    Runner(load_source(Source("bench", text), ""), lambda event: None).run()
    return time.process_time() - begin
