"""The regular expressions of policies: PCRE as far as Python's own engine can say the same."""

import re
import warnings
from functools import lru_cache

# What no dialect takes; anything else that Python cannot compile may well be PCRE.
WRONG_ANYWHERE = ("missing )", "unbalanced parenthesis", "unterminated character set", "nothing to repeat", "multiple repeat")
POSIX = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s", "word": r"\w",
    "xdigit": "0-9a-fA-F", "punct": r"!-/:-@\[-`{-~",
}  # fmt: skip


class InvalidPattern(Exception):
    """No regular expression at all; RabbitMQ refuses it too."""


class UnreadablePattern(Exception):
    """RabbitMQ may take this pattern; it is not simulated. The text says why."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern for `search`. Raises `InvalidPattern` or `UnreadablePattern`."""
    if repeats_what_repeats(pattern):
        raise UnreadablePattern("it repeats a group that itself repeats or has alternatives, which can take for ever")
    translated = pattern.replace(r"\z", r"\Z").replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    translated = re.sub(r"\[:(\w+):\]", lambda match: POSIX.get(match[1], match[0]), translated)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(translated)
    except (re.error, RecursionError, OverflowError) as error:
        text = str(error)
        if any(text.startswith(problem) for problem in WRONG_ANYWHERE):
            raise InvalidPattern(text) from None
        raise UnreadablePattern(f"it says what only PCRE understands ({text})") from None


def repeats_what_repeats(pattern: str) -> bool:
    """Whether a group is repeated without limit that has such a repetition, or alternatives, inside: `(a+)+`, `(a|a)*`."""
    groups: list[bool] = [False]
    index = 0
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            index += 1
        elif character == "[":
            closing = pattern.find("]", index + 2)
            index = closing if closing > 0 else len(pattern)
        elif character == "(":
            groups.append(False)
        elif character == ")" and len(groups) > 1:
            risky = groups.pop()
            if risky and re.match(r"[*+]|\{\d*,\}", pattern[index + 1 :]):
                return True
            groups[-1] = groups[-1] or risky
        elif character in "*+|" or re.match(r"\{\d*,\}", pattern[index:]):
            groups[-1] = True
        index += 1
    return False
