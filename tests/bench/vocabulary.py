"""Topic bindings and routing keys for measuring: the same for the same size.

3 to 5 words a binding key; in the plain vocabulary 5 % have a `*`, 2 % a `#` and one is the catch-all `#`; in the
`#`-heavy one 30 % have a `#`. The number of words grows with the cube root of the number of bindings, so that a key goes
on reaching a few queues and what grows is the matcher's work.
"""

import itertools
import random
from typing import NamedTuple

DRAWS = 20_000
STEMS = ("svc", "entity", "act", "region", "tenant")


class Vocabulary(NamedTuple):
    """`bindings`: (binding key, queue). `zipf`: keys drawn with a Zipf-like popularity; `distinct`: no two are equal."""

    bindings: list[tuple[str, str]]
    queues: list[str]
    zipf: list[str]
    distinct: list[str]


class _Words:
    def __init__(self, size: int, seed: int) -> None:
        self.random = random.Random(seed)
        count = max(12, round(4 * size ** (1 / 3)))
        self.words = [[f"{stem}{number:x}" for number in range(count)] for stem in STEMS]
        self.weights = list(itertools.accumulate(1 / (number + 3) for number in range(count)))

    def key(self) -> list[str]:
        length = self.random.choice((3, 3, 4, 4, 5))
        choices = self.random.choices
        return [choices(self.words[index], cum_weights=self.weights)[0] for index in range(length)]

    def pattern(self, star: float, hashed: float) -> str:
        key, dice = self.key(), self.random.random()
        if dice < star:
            for index in self.random.sample(range(len(key)), self.random.choice((1, 1, 2))):
                key[index] = "*"
        elif dice < star + hashed:
            where = self.random.random()
            if where < 0.7:
                key = [*key[: self.random.randint(2, len(key))], "#"]
            elif where < 0.9:
                key = ["#", *key[-2:]]
            else:
                key = [key[0], "#", key[-1]]
        return ".".join(key)

    def instance(self, pattern: str) -> str:
        """A key that the pattern matches."""
        found: list[str] = []
        for index, word in enumerate(pattern.split(".")):
            words = self.words[min(index, len(STEMS) - 1)]
            if word == "*":
                found.append(self.random.choice(words))
            elif word == "#":
                found += [self.random.choice(words) for _ in range(self.random.randint(0, 2))]
            else:
                found.append(word)
        return ".".join(found or self.key())


def vocabulary(size: int, *, many_hashes: bool = False, draws: int = DRAWS) -> Vocabulary:
    words = _Words(size, size)
    star, hashed = (0.05, 0.30) if many_hashes else (0.05, 0.02)
    patterns = {"#": None}
    while len(patterns) < size:
        patterns[words.pattern(star, hashed)] = None
    queues = [f"q{number}" for number in range(max(4, size // 10))]
    bindings = [(pattern, words.random.choice(queues)) for pattern in patterns]
    popular = [pattern for pattern in patterns if pattern != "#"]
    words.random.shuffle(popular)
    rank = list(itertools.accumulate((index + 1) ** -1.1 for index in range(len(popular))))
    zipf = [
        words.instance(words.random.choices(popular, cum_weights=rank)[0])
        if words.random.random() < 0.8
        else ".".join(words.key())
        for _ in range(draws)
    ]
    known: dict[str, None] = {}
    source = itertools.cycle(popular)
    while len(known) < draws:
        key = words.instance(next(source)) if len(known) % 2 else ".".join(words.key())
        known[f"{key}.n{len(known):x}" if key in known else key] = None
    return Vocabulary(bindings, queues, zipf, list(known))
