"""The regular expressions of policies: PCRE as far as Python's own engine can say the same."""

import re
import warnings
from collections.abc import Callable
from functools import lru_cache

QUICK_REPEATS = 2  # of which all ways through a name of 255 characters are tried in no time
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


@lru_cache(maxsize=16_384)  # files of thousands of policies are looked through more than once
def compiled(pattern: str) -> Callable[[str], object]:
    """Whether a name has a match of the pattern anywhere in it (a true value), in bounded time. Raises `InvalidPattern` or
    `UnreadablePattern`."""
    translated = pattern.replace(r"\z", r"\Z").replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    translated = re.sub(r"\[:(\w+):\]", lambda match: POSIX.get(match[1], match[0]), translated)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search = re.compile(translated).search
            return _in_bounded_time(translated) if may_take_long(translated) else search
    except (re.error, RecursionError, OverflowError) as error:
        text = str(error)
        if any(text.startswith(problem) for problem in WRONG_ANYWHERE):
            raise InvalidPattern(text) from None
        raise UnreadablePattern(f"it says what only PCRE understands ({text})") from None


def _in_bounded_time(pattern: str) -> Callable[[str], object]:
    from routesim.patterns.machine import NotRegular, PatternMachine  # few patterns need it

    try:
        return PatternMachine(pattern).found_in
    except NotRegular:
        raise UnreadablePattern("it repeats so much that it can take for ever, and can be followed no other way") from None


def may_take_long(pattern: str) -> bool:
    """Whether a group is repeated, or there are more repetitions than can be tried in all ways: `(a|b)+`, `.*.*.*x`."""
    repeats, index = 0, 0
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            index += 1
        elif character == "[":
            closing = pattern.find("]", index + 2)
            index = closing if closing > 0 else len(pattern)
        elif character in "*+?{" and pattern[max(0, index - 1)] != "(":
            repeats += 1
            if pattern[index - 1] == ")" and index:
                return True
        index += 1
    return repeats > QUICK_REPEATS
