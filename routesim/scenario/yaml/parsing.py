"""Text to nodes: libyaml's events, a builder of our own, and every way in which it can fail."""

import re
from bisect import bisect_right
from typing import Any

from routesim.diagnostics import Diagnostic, Invalid
from routesim.scenario.yaml import by_lines
from routesim.scenario.yaml.nodes import DEEPEST, Mapping, Node, Sequence, Text
from routesim.scenario.yaml.source import LINE_BREAK, Source

MAX_EXPANDED = 2_000_000  # values after every alias has been followed
YAML_ONLY_BREAKS = ("\x85", "\u2028", "\u2029")  # new lines to YAML, but to no editor


def parse(source: Source) -> Node | None:
    """The one document in the source; None when there is nothing in it. Raises `Invalid`."""
    plain = by_lines.read(source.text)
    return plain if plain is not None else parse_by_events(source)


def parse_by_events(source: Source) -> Node | None:
    """As `parse`, whatever the source looks like."""
    try:
        found = _parsed(source, _Builder(source))
    except Invalid as invalid:
        from routesim.scenario.yaml.templates import template_in  # only what cannot be read may be a template

        raise template_in(source, invalid) or invalid from None
    return found[0] if found else None


def parse_all(source: Source) -> list[Node]:
    """Every document in the source that holds something; what a tag means is left to whoever reads it. Raises `Invalid`."""
    return _parsed(source, _Builder(source, foreign=True))


def _parsed(source: Source, builder: "_Builder") -> list[Node]:
    import yaml  # its regular expressions take long to make, and who reads no file need not wait for them

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return builder.build(loader(source.text))
    except yaml.MarkedYAMLError as error:
        unclosed = error.problem is not None and "end of stream" in error.problem and error.context_mark is not None
        mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = (error.problem or error.context or "this is not YAML").strip()
        context = f" ({error.context.strip()})" if error.context and error.problem else ""
        raise source.fail(
            "yaml-syntax", f"{problem}{context}", line, column,
            cure=_syntax_cure(source, line, column, problem) or _open_bracket(source, error.context_mark, problem),
        ) from None  # fmt: skip
    except yaml.reader.ReaderError as error:
        # The position counts bytes where libyaml reads, characters where PyYAML does.
        offset = error.position if isinstance(error.position, int) else 0
        bad = next((index for index, each in enumerate(source.text) if _is_forbidden(each)), offset)
        before = source.text[:bad]
        character = source.text[bad : bad + 1]
        line, column = len(LINE_BREAK.findall(before)) + 1, len(LINE_BREAK.split(before)[-1]) + 1
        cure = (
            "is this UTF-16 or UTF-32? Save the file as UTF-8"
            if character == "\0"
            else f'write it as an escape in quotes: "{_escaped(character)}"'
        )
        problem = f"character U+{ord(character or '?'):04X} is not allowed here"
        raise source.fail("yaml-syntax", problem, line, column, cure=cure) from None


def _escaped(character: str) -> str:
    """As YAML writes it between double quotes."""
    code = ord(character or "?")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _is_forbidden(character: str) -> bool:
    """Control characters, lone surrogates and what is no character: YAML has no room for them."""
    code = ord(character)
    if code < 32:
        return character not in "\t\n\r"
    return (0x7F <= code < 0xA0 and code != 0x85) or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF)


def _open_bracket(source: Source, begins: Any, problem: str) -> str:
    """Where the flow collection begins, of which the end or a comma is missing."""
    if begins is None or "expected ','" not in problem:
        return ""
    sign = source.line(begins.line + 1)[begins.column : begins.column + 1]
    closing = {"{": "}", "[": "]"}.get(sign, "")
    where = f"line {begins.line + 1}, column {begins.column + 1}"
    return (
        f"'{sign}' in {where} is still open: close it with '{closing}', or write ',' between what stands in it" if closing else ""
    )


def _syntax_cure(source: Source, line: int, column: int, problem: str) -> str:
    text = source.line(line)
    before = text if text.strip() else source.line(line - 1)
    signs = ("alias", "anchor", "token", "expected")
    if re.search(r"[:,\[{]\s*[*&#%@`!]", before) and any(sign in problem for sign in signs):
        return "quote text that begins with * & # % @ ` or !"
    if "\t" in text[: len(text) - len(text.lstrip())]:
        return "YAML does not allow tabs for indentation; use spaces"
    if "alias" in problem or "anchor" in problem:
        return "quote text that begins with * or &"
    if "cannot start any token" in problem:
        return "quote the text"
    if "did not find expected '-' indicator" in problem or "block" in problem or "did not find expected key" in problem:
        return "check the indentation: items of one list begin in one column"
    if "mapping values are not allowed" in problem:
        return "quote text that contains ': ', or check the indentation"
    if "expected ','" in problem and text[column - 1 : column] == ":":
        return "write ',' before this key, or quote text that contains ': '"
    return ""


class _Builder:
    def __init__(self, source: Source, *, foreign: bool = False) -> None:
        """`foreign`: another program's file, which may hold several documents, and tags of its own."""
        self.source = source
        self.foreign = foreign
        self.anchors: dict[str, Node] = {}
        self.open_anchors: set[str] = set()
        self.problems: list[Diagnostic] = []
        self.starts: list[int] | None = None
        if any(sign in source.text for sign in YAML_ONLY_BREAKS):
            self.starts = [0, *(match.end() for match in LINE_BREAK.finditer(source.text))]

    def build(self, stream: Any) -> list[Node]:
        """The documents that hold something. One pass over the events.

        Each open collection has a frame: [node, key that waits for its value, merges, anchor].

        The scalars, most of all events, are read here: a call for each would cost more than the parser does.
        """
        import yaml

        roots: list[Node] = []
        frame: list[Any] = []
        frames: list[list[Any]] = []
        documents, next_event, simple = 0, stream.get_event, self.starts is None
        while True:
            event = next_event()
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                if simple and event.tag is None and event.anchor is None:
                    node: Any = Text(event.value)
                    start, end = event.start_mark, event.end_mark
                    node.line, node.column, node.plain = start.line + 1, start.column + 1, not event.style
                    node.width = end.column - start.column if end.line == start.line else 1
                else:
                    node = self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                frame = [
                    self._opened(event, Mapping() if kind is yaml.MappingStartEvent else Sequence()),
                    None,
                    None,
                    event.anchor,
                ]
                frames.append(frame)
                if len(frames) > DEEPEST:
                    raise self.source.fail("too-deep", f"more than {DEEPEST} levels of nesting", frame[0].line, frame[0].column)
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                node = self._closed(*frames.pop())
                frame = frames[-1] if frames else []
            elif kind is yaml.AliasEvent:
                node = self._aliased(event)
            elif kind is yaml.StreamEndEvent:
                break
            else:
                if kind is yaml.DocumentStartEvent:
                    documents += 1
                    self._only_document(event, documents)
                continue
            if not frame:
                if not (isinstance(node, Text) and not node and node.plain):
                    roots.append(node)
            elif frame[0].__class__ is Mapping and frame[1] is None:
                frame[1] = self._key(node)
            else:
                self._place(frame, node)
        if self.problems:
            raise Invalid(self.problems)
        return roots

    def _only_document(self, event: Any, documents: int) -> None:
        mark = event.start_mark
        if self.foreign:
            self.anchors.clear()  # an alias means an anchor of its own document
        elif documents > 1:
            raise self.source.fail(
                "several-documents",
                "a second YAML document begins here; one file is one scenario",
                mark.line + 1,
                mark.column + 1,
                cure="put it into a file of its own",
            )

    def _opened(self, event: Any, node: Any) -> Any:
        node.line, node.column = self._at(event.start_mark)
        node.width, node.size = 1, 1
        if event.anchor:
            self.open_anchors.add(event.anchor)
        return node

    def _closed(self, node: Any, _key: Text | None, merges: list[Mapping] | None, anchor: str | None) -> Any:
        for merged in merges or ():
            for name, value in merged.items():
                node.setdefault(name, value)
        if anchor:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = node
        return node

    def _place(self, frame: list[Any], node: Node) -> None:
        """Into the innermost open collection: an item, or the value of the key before it."""
        parent, key = frame[0], frame[1]
        size = 1 if type(node) is Text else node.size  # type: ignore[union-attr]
        parent.size += size
        if key is None:
            parent.append(node)
        else:
            frame[1] = None
            if key in parent or key == "<<" or (type(node) is Text and not node):
                self._put(frame, parent, key, node)
            else:
                parent[key] = node
        if size > 1 and parent.size > MAX_EXPANDED:
            raise self.source.fail(
                "too-large", f"aliases expand to more than {MAX_EXPANDED:,} values", parent.line, parent.column
            )

    def _at(self, mark: Any) -> tuple[int, int]:
        if self.starts is None:
            return mark.line + 1, mark.column + 1
        line = bisect_right(self.starts, mark.index)
        return line, mark.index - self.starts[line - 1] + 1

    def _scalar(self, event: Any) -> Text:
        text = Text(event.value)
        start, end = event.start_mark, event.end_mark
        if self.starts is None:
            text.line, text.column = start.line + 1, start.column + 1
            text.width = end.column - start.column if end.line == start.line else 1
        else:
            (text.line, text.column), text.width = self._at(start), end.index - start.index
        text.plain = not event.style and event.tag is None
        if event.tag is not None and not self.foreign and event.tag not in ("!", "tag:yaml.org,2002:str"):
            self.problems.append(
                self.source.diagnostic(
                    "error", "yaml-tag", f"the tag {event.tag} has no meaning here", text.line, text.column, text.width,
                    "remove the tag; typed values are written {long: 1}",
                )
            )  # fmt: skip
        if event.anchor:
            self.anchors[event.anchor] = text
        return text

    def _aliased(self, event: Any) -> Node:
        mark = event.start_mark
        if event.anchor in self.open_anchors:
            raise self.source.fail("yaml-syntax", f"*{event.anchor} refers to what it is part of", mark.line + 1, mark.column + 1)
        if event.anchor not in self.anchors:
            raise self.source.fail(
                "yaml-syntax", f"no &{event.anchor} stands before this *{event.anchor}", mark.line + 1, mark.column + 1,
                cure="quote text that begins with *",
            )  # fmt: skip
        return self.anchors[event.anchor]

    def _key(self, node: Node) -> Text:
        if type(node) is Text:
            return node
        self.problems.append(
            self.source.diagnostic("error", "yaml-syntax", "a key must be text", node.line, node.column, cure="quote the key")
        )
        key = Text("")
        key.line, key.column, key.width, key.plain = node.line, node.column, 1, False
        return key

    def _put(self, frame: list[Any], parent: Mapping, key: Text, node: Node) -> None:
        if key == "<<" and key.plain:
            merges = [node] if isinstance(node, Mapping) else list(node) if isinstance(node, Sequence) else []
            if not merges or not all(isinstance(item, Mapping) for item in merges):
                self.problems.append(
                    self.source.diagnostic("error", "yaml-syntax", "<< merges mappings only", key.line, key.column, 2)
                )
            else:
                frame[2] = [*(frame[2] or ()), *merges]
        elif key in parent:
            first = next(known for known in parent if known == key)
            self.problems.append(
                self.source.diagnostic(
                    "error", "duplicate-key", f"'{key}' is given twice", key.line, key.column, key.width,
                    f"the first one is at line {first.line}; remove one of them",
                )
            )  # fmt: skip
        else:
            if type(node) is Text and node.plain and not node:  # nothing stands there: its key is what can be shown
                node.line, node.column, node.width = key.line, key.column, key.width
            parent[key] = node
