"""topic: the words of the key against the words of the binding key (rules/routing#1.4).

Words are what stands between dots; the empty text has none. `*` is exactly one word, which may be empty; `#` is zero
or more; every other word stands for itself, whatever characters it has.
"""

from collections.abc import Sequence

from routesim.content import Content
from routesim.exchanges.base import (
    Alike,
    BindingVerdict,
    Draw,
    ExchangeType,
    MatchedWord,
    each_of,
    precondition_failed,
    with_another,
    without,
)
from routesim.model import Binding, Exchange
from routesim.versions import Rules

NO_WORDS: list[str] = []


def words_of(text: str) -> list[str]:
    """The words of a routing key or binding key: none for the empty text, else one more than it has dots."""
    return text.split(".") if text else []


def _reachable(pattern: Sequence[str], words: Sequence[str]) -> list[list[bool]]:
    """The plain rule (rules/routing#T8): `[i][n]` says whether the first i parts of the pattern match the first n words.

    Takes time and space in proportion to both lengths. Ends early, with a last row of only False, when no prefix is left.
    """
    rows = [[True] + [False] * len(words)]
    for part in pattern:
        last = rows[-1]
        row = [part == "#" and last[0]]
        for index, word in enumerate(words):
            row.append(last[index + 1] or row[index] if part == "#" else last[index] and (part == "*" or part == word))
        rows.append(row)
        if not any(row):
            break
    return rows


def matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words of a binding key match those of a routing key; the judge of the index below."""
    rows = _reachable(pattern, words)
    return len(rows) == len(pattern) + 1 and rows[-1][-1]


def align(pattern: Sequence[str], words: Sequence[str]) -> tuple[MatchedWord, ...]:
    """What each part of the pattern takes; of a miss, up to the part at which it fails (none: the key goes on after it)."""
    rows = _reachable(pattern, words)
    whole = len(rows) == len(pattern) + 1
    failed = None if whole and any(rows[-1]) else len(rows) - 2
    parts: list[MatchedWord] = []
    end = len(words) if whole and rows[-1][-1] else _furthest(rows[-1] if failed is None else rows[failed])
    if failed is not None:
        if failed == len(pattern) - 1 and words and rows[failed][len(words) - 1]:
            end = len(words) - 1  # the last part stands against the last word
        parts.append(MatchedWord(pattern[failed], tuple(words[end : end + 1]), decides=True))
    for index in range(len(pattern) if failed is None else failed, 0, -1):
        before = rows[index - 1]
        # A # takes as few words as it can.
        takes_one = pattern[index - 1] != "#"
        begin = end - 1 if takes_one else next(position for position in range(end, -1, -1) if before[position])
        parts.append(MatchedWord(pattern[index - 1], tuple(words[begin:end])))
        end = begin
    return tuple(reversed(parts))


def _furthest(row: list[bool]) -> int:
    return max(position for position, reached in enumerate(row) if reached)


class TrieNode:
    """A state of the trie of wildcard patterns: where a word, a `*` or a `#` leads from here.

    `ends` match when the key ends here; `tails`, whose last part is the `#` that would follow, whatever is still to come.
    """

    __slots__ = ("ends", "hash", "star", "tails", "words")

    def __init__(self) -> None:
        self.words: dict[str, TrieNode] | None = None
        self.star: TrieNode | None = None
        self.hash: TrieNode | None = None
        self.ends: Alike | None = None
        self.tails: Alike | None = None


class Topic(ExchangeType):
    """Patterns without wildcards live in one dict; the others in a trie over their words."""

    name = "topic"

    def __init__(self, exchange: Exchange, rules: Rules) -> None:
        super().__init__(exchange, rules)
        self.exact: dict[str, Alike] = {}
        self.root = TrieNode()
        self.wildcards: dict[str, TrieNode] = {}  # where the bindings of a pattern are

    def validate_binding(self, binding: Binding, queue_type: str | None) -> None:
        limit = self.rules.topic_hash_words_limit
        if limit is None or binding.routing_key.count("#") <= limit:
            return
        hashes = words_of(binding.routing_key).count("#")
        if hashes > limit:
            raise precondition_failed(
                f"Topic binding key '{binding.routing_key}' uses {hashes} '#' wildcards, at most {limit} are allowed"
            )

    def add(self, binding: Binding) -> None:
        key = binding.routing_key
        pattern = words_of(key) if "*" in key or "#" in key else NO_WORDS
        if "*" not in pattern and "#" not in pattern:
            there = self.exact.get(key)
            self.exact[key] = binding if there is None else with_another(there, binding)
            return
        ends_open = pattern[-1] == "#"
        node = self.wildcards.get(key)
        if node is None:
            node = self.wildcards[key] = self._node(pattern[:-1] if ends_open else pattern)
        if ends_open:
            node.tails = with_another(node.tails, binding)
        else:
            node.ends = with_another(node.ends, binding)

    def _node(self, pattern: list[str]) -> TrieNode:
        node = self.root
        for part in pattern:
            if part == "*":
                node.star = node = node.star or TrieNode()
            elif part == "#":
                node.hash = node = node.hash or TrieNode()
            else:
                if node.words is None:
                    node.words = {}
                node = node.words.setdefault(part, TrieNode()) if part not in node.words else node.words[part]
        return node

    def remove(self, binding: Binding) -> None:
        key = binding.routing_key
        if key in self.exact:
            if without(self.exact[key], binding) is None:
                del self.exact[key]
            return
        pattern, node = words_of(key), self.wildcards[key]
        alike = node.tails if pattern[-1] == "#" else node.ends
        if alike is not None and without(alike, binding) is None:
            del self.wildcards[key]
            self._prune(pattern)

    def _prune(self, pattern: list[str]) -> None:
        """Takes out the nodes that only this pattern needed."""
        last, path = pattern[-1], [self.root]
        if last == "#":
            pattern = pattern[:-1]
        for part in pattern:
            node = path[-1]
            following = node.star if part == "*" else node.hash if part == "#" else (node.words or {})[part]
            assert following is not None
            path.append(following)
        if last == "#":
            path[-1].tails = None
        else:
            path[-1].ends = None
        for part, parent, node in zip(reversed(pattern), reversed(path[:-1]), reversed(path[1:]), strict=True):
            if node.ends or node.tails or node.words or node.star or node.hash:
                return
            if part == "*":
                parent.star = None
            elif part == "#":
                parent.hash = None
            elif parent.words:
                del parent.words[part]

    def route(self, message: str, content: Content, draw: Draw) -> list[Binding]:
        if len(content.keys) == 1:
            return self._matching(content.routing_key)
        found: dict[int, Binding] = {}
        for key in dict.fromkeys(content.keys):
            for binding in self._matching(key):
                found[id(binding)] = binding
        return list(found.values())

    def _matching(self, key: str) -> list[Binding]:
        exact = self.exact.get(key)
        if not self.wildcards:
            return each_of(exact)
        found = each_of(exact)
        words = key.split(".") if key else []
        count = len(words)
        # States still to be looked at, and how many words lead to each.
        nodes, depths, hashes = [self.root], [0], False
        while nodes:
            node, index = nodes.pop(), depths.pop()
            if node.tails is not None:
                found += each_of(node.tails)
            if index == count:
                if node.ends is not None:
                    found += each_of(node.ends)
            else:
                if node.words is not None:
                    following = node.words.get(words[index])
                    if following is not None:
                        nodes.append(following)
                        depths.append(index + 1)
                if node.star is not None:
                    nodes.append(node.star)
                    depths.append(index + 1)
            if node.hash is not None:
                if not hashes:
                    hashes, seen = True, set()
                for skipped in range(index, count + 1):
                    state = (id(node.hash), skipped)
                    if state in seen:  # several '#' do not repeat each other's work
                        break
                    seen.add(state)
                    nodes.append(node.hash)
                    depths.append(skipped)
        if hashes and len(found) > 1:
            return list({id(binding): binding for binding in found}.values())
        return found

    def why(self, binding: Binding, message: str, content: Content) -> BindingVerdict:
        pattern = words_of(binding.routing_key)
        for key in content.keys:
            if matches(pattern, words_of(key)):
                return _hit(pattern, words_of(key))
        return _miss(pattern, words_of(content.routing_key))

    def clone(self) -> "Topic":
        other = Topic(self.exchange, self.rules)
        for alike in self.exact.values():
            for binding in each_of(alike):
                other.add(binding)
        for key, node in self.wildcards.items():
            for binding in each_of(node.tails if words_of(key)[-1] == "#" else node.ends):
                other.add(binding)
        return other


def _hit(pattern: list[str], words: list[str]) -> BindingVerdict:
    alignment = align(pattern, words)
    wild = [f"{part.word} = {'.'.join(part.takes) if part.takes else '(no words)'}" for part in alignment if part.word in "*#"]
    if not wild:
        return BindingVerdict(True, "exact", "every word is the same", alignment)
    return BindingVerdict(True, "wildcards", ", ".join(wild), alignment)


def _miss(pattern: list[str], words: list[str]) -> BindingVerdict:
    alignment = align(pattern, words)
    last = alignment[-1] if alignment else None
    if last is None or not last.decides:
        taken = sum(len(part.takes) for part in alignment)
        if not pattern:
            return BindingVerdict(False, "pattern-ends", "an empty binding key matches only the empty routing key", alignment)
        return BindingVerdict(
            False, "pattern-ends", f"the binding key ends, the routing key goes on with '{words[taken]}'", alignment
        )
    position = sum(len(part.takes) for part in alignment[:-1]) + 1
    if any(part.word == "#" for part in alignment[:-1]) and words and last.word != "*":
        if len(alignment) == len(pattern):
            return BindingVerdict(False, "end-differs", f"the routing key ends with '{words[-1]}', not '{last.word}'", alignment)
        return BindingVerdict(False, "word-missing", f"no '{last.word}' stands where the binding key wants it", alignment)
    if not last.takes:
        needs = "one more word" if last.word == "*" else f"'{last.word}'"
        return BindingVerdict(
            False, "key-ends", f"the routing key ends after {_words(len(words))}, {needs} is still wanted", alignment
        )
    return BindingVerdict(False, "word-differs", f"word {position} is '{last.takes[0]}', not '{last.word}'", alignment)


def _words(count: int) -> str:
    return "no word" if count == 0 else "1 word" if count == 1 else f"{count} words"
