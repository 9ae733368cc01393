"""Mistakes that people make in binding keys and routing keys, each with what to write instead."""

import re
from collections.abc import Iterator

from routesim.exchanges.topic import words_of


def mistakes_in_pattern(pattern: str, key: str) -> Iterator[str]:
    """Sentences about what in a binding key does not mean what it seems to."""
    for word in words_of(pattern):
        if word == "**":
            yield f"'{pattern}': ** is a plain word; # matches any number of words"
        elif word == "##":
            yield f"'{pattern}': ## is a plain word; write #"
        elif ("*" in word or "#" in word) and len(word) > 1:
            sign = "*" if "*" in word else "#"
            stem = word.replace(sign, "")
            yield f"'{pattern}': {sign} counts only as a word of its own, so '{word}' is a plain word; write '{stem}.{sign}'"
    if "%" in pattern or ("_" in pattern and "%" in pattern):
        yield f"'{pattern}': % is a plain character; * matches one word, # any number"
    if "/" in pattern and "/" not in key:
        yield f"'{pattern}': words are parted by dots, not by slashes; write '{pattern.replace('/', '.')}'"
    if re.search(r"[\^$()\[\]{}|\\?]|\.\+|\.\*\*", pattern) or pattern.endswith(".+"):
        yield f"'{pattern}': regular expressions mean nothing here; only * and # are special"
    elif "+" in words_of(pattern):
        yield f"'{pattern}': + is MQTT's sign for one word; here it is *"
    if pattern != key and pattern.lower() == key.lower():
        yield f"'{pattern}': upper and lower case differ"
    if pattern.endswith(".") or pattern.startswith(".") or ".." in pattern:
        yield f"'{pattern}': there is an empty word in it, which only an empty word or a * matches"
    if pattern != pattern.strip():
        yield f"'{pattern}': the space at its end belongs to the word"


def mistakes_in_key(key: str) -> Iterator[str]:
    """Sentences about what in a routing key is not what it seems."""
    words = words_of(key)
    if "*" in words or "#" in words:
        yield "In a published key * and # are ordinary words; they are wildcards in binding keys only."
    if any(not word for word in words):
        yield "The key has an empty word: a dot at its end or start, or two in a row. It counts as a word."
    if "/" in key:
        yield f"Words are parted by dots, not by slashes: '{key}' has {len(words)} word{'s' if len(words) != 1 else ''}."
    if len(key.encode("utf-8", "surrogatepass")) > 255:
        yield "AMQP carries keys of at most 255 bytes; this one is longer."
