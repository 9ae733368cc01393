"""Why binding keys of a topic exchange match a routing key, why not, and what would."""

from routesim.content import Content
from routesim.exchanges import EXCHANGE_TYPES, BindingVerdict
from routesim.exchanges.topic import matches, words_of
from routesim.explain.answer import Answer, quoted
from routesim.explain.routes.mistakes import mistakes_in_key, mistakes_in_pattern
from routesim.model import Binding, Exchange
from routesim.replies import AmqpError
from routesim.tables import BAD, QUIET, Cell, Section, mark
from routesim.versions import Rules

NO_WORD = "·"


def verdict(pattern: str, key: str, rules: Rules) -> BindingVerdict:
    """What the topic exchange itself says of one binding key and one routing key."""
    matcher = EXCHANGE_TYPES["topic"](Exchange("", "topic"), rules)
    return matcher.why(Binding("", "", "queue", pattern), "", Content("", key, (key,), None, ""))


def refusal(pattern: str, rules: Rules) -> str | None:
    """Why RabbitMQ would not let a queue be bound with this key."""
    matcher = EXCHANGE_TYPES["topic"](Exchange("", "topic"), rules)
    try:
        matcher.validate_binding(Binding("", "", "queue", pattern), "classic")
    except AmqpError as refused:
        return refused.text
    return None


def explain_topic(key: str, patterns: list[str], rules: Rules) -> Answer:
    if not patterns:
        return _teach(key, rules)
    words = words_of(key)
    found = [(pattern, verdict(pattern, key, rules)) for pattern in patterns]
    rows, data, hints = [], [], list(mistakes_in_key(key))
    for pattern, answer in found:
        change = None if answer.match else nearest_change(pattern, key)
        reason = answer.text if answer.match else f"{answer.text}{f'; {change} would match' if change else ''}"
        refused = refusal(pattern, rules)
        if refused:
            reason = f"refused when bound: {refused}"
        rows.append((mark(answer.match), Cell(quoted(pattern)), *_aligned(answer, len(words)), Cell(reason)))
        hints += [hint for hint in mistakes_in_pattern(pattern, key) if hint not in hints]
        data.append({
            "pattern": pattern, "match": answer.match,
            "alignment": aligned(answer),
            "reason": {"code": answer.code, "text": answer.text}, "nearest": change, "refused": refused,
        })  # fmt: skip
    columns = ("", "binding key", *(quoted(word) for word in words), "why")
    hits = sum(answer.match for _, answer in found)
    headline = f"{_described(key)}: {hits} of {len(found)} binding keys match"
    return Answer(headline, (Section("", columns, rows),), tuple(hints), {"key": key, "words": words, "patterns": data})


def _described(key: str) -> str:
    words = words_of(key)
    if not words:
        return 'the empty routing key, "", has no words'
    count = "1 word" if len(words) == 1 else f"{len(words)} words"
    return f"{key} is {count}: {' · '.join(quoted(word) for word in words)}"


def _aligned(answer: BindingVerdict, count: int) -> list[Cell]:
    """Under each word of the key the part of the pattern that takes it."""
    cells = [Cell(NO_WORD, QUIET)] * count
    position = 0
    for part in answer.alignment:
        tone = BAD if part.decides else ""
        for offset in range(len(part.takes)):
            if position + offset < count:
                cells[position + offset] = Cell(quoted(part.word), tone or "plain")
        position += len(part.takes)
    return cells


def aligned(answer: BindingVerdict) -> list[dict[str, object]]:
    """The alignment as data."""
    return [{"word": part.word, "takes": list(part.takes), "decides": part.decides} for part in answer.alignment]


def nearest_change(pattern: str, key: str) -> str | None:
    """The smallest change of the pattern that makes it match, in the order in which people would make it."""
    parts, words = words_of(pattern), words_of(key)
    candidates = [key if pattern.lower() == key.lower() else pattern, _repaired(pattern)]
    candidates += [".".join([*parts[:index], "*", *parts[index + 1 :]]) for index in range(len(parts)) if parts[index] != "*"]
    candidates += [".".join(parts[:index] + parts[index + 1 :]) for index in range(len(parts)) if not parts[index]]
    candidates += [".".join([*parts, "*"]), ".".join([*parts, "#"]), ".".join(["#", *parts])]
    candidates += [".".join([*parts[:index], "#", *parts[index + 1 :]]) for index in range(len(parts))]
    candidates += [".".join([*parts[:index], "#"]) for index in range(len(parts), -1, -1)]
    for candidate in candidates:
        if candidate != pattern and matches(words_of(candidate), words):
            return candidate
    return "#"


def _repaired(pattern: str) -> str:
    """The pattern with what other languages mean by a wildcard written as AMQP does."""
    words = pattern.replace("/", ".").split(".")
    signs = {"%": "*", "+": "*", "**": "#", "##": "#"}
    words = [signs.get(word, word) for word in words]
    return ".".join(f"{word[:-1]}.{word[-1]}" if len(word) > 1 and word[-1] in "*#" else word for word in words)


def _teach(key: str, rules: Rules) -> Answer:
    """Without patterns: which ones match this key, and which do not although they look as if they did."""
    words = words_of(key)
    hits: list[str] = [key]
    hits += [".".join([*words[:index], "*", *words[index + 1 :]]) for index in range(len(words))]
    hits += [".".join(["*"] * len(words))] if len(words) > 1 else []
    hits += [".".join([*words[:index], "#"]) for index in range(len(words), 0, -1)]
    hits += [".".join(["#", *words[index:]]) for index in range(1, len(words))]
    hits += ["#"]
    misses = [".".join([*words, "*"])] if words else ["*"]
    if len(words) > 1:
        misses += [words[0], f"{words[0]}*", f"{words[0]}.%", ".".join(words[:-1]), ".".join(["*"] * (len(words) + 1))]
        misses += ["*"] if len(words) > 1 else []
        misses += ["/".join(words)]
    if key.lower() != key.upper():
        misses.append(key.upper() if key != key.upper() else key.lower())
    misses.append(f"{key}." if words else ".")
    patterns = list(dict.fromkeys([*hits, *misses]))
    rows, data = [], []
    for wanted in (True, False):
        for pattern in patterns:
            answer = verdict(pattern, key, rules)
            if answer.match is not wanted:
                continue
            hint = next(iter(mistakes_in_pattern(pattern, key)), "")
            rows.append((mark(answer.match), Cell(quoted(pattern)), *_aligned(answer, len(words)), Cell(hint or answer.text)))
            data.append({
                "pattern": pattern, "match": answer.match,
                "alignment": aligned(answer),
                "reason": {"code": answer.code, "text": answer.text},
            })  # fmt: skip
    hints = (
        *mistakes_in_key(key),
        "* is exactly one word, # is zero or more words, every other word stands for itself.",
        f"Try your own: routesim explain topic {quoted(key)} 'PATTERN' …",
    )
    columns = ("", "binding key", *(quoted(word) for word in words), "why")
    return Answer(_described(key), (Section("", columns, rows),), hints, {"key": key, "words": words, "patterns": data})
