"""Files of other programs as plain data, and where each part of them stands."""

import os
import re
from typing import Any

from routesim.diagnostics import Diagnostic, Invalid
from routesim.scenario.definitions.list_form import Path, plain_data, read_json, without_surrogates
from routesim.scenario.yaml import json_places
from routesim.scenario.yaml.nodes import Node
from routesim.scenario.yaml.parsing import parse_all
from routesim.scenario.yaml.source import QuietSource, Source
from routesim.scenario.yaml.templates import template_in

QUOTES_THE_FILE = re.compile(r"\*|&|\btag\b")  # a message about YAML that says an alias, an anchor or a tag of the file
# Files that are no data, by their endings, and what makes data of them.
NODE = ("a program", "`node -p \"JSON.stringify(require('./config'))\"` prints what it makes")
SYMFONY = ("configuration as PHP or XML", "`bin/console debug:config framework messenger` prints it as YAML")
CODE = {
    ".tf": ("HCL", "`terraform show -json` prints what it declares"),
    **dict.fromkeys((".js", ".cjs", ".mjs", ".ts"), NODE),
    **dict.fromkeys((".php", ".xml"), SYMFONY),
    ".py": ("a program", "`routesim import faststream`, `kombu` or `celery` import a module by its name"),
}


class Document:
    """One of the documents in a file: `data` as JSON has it, and the way to it."""

    def __init__(self, source: Source, data: Any, path: Path = (), nodes: list[Node] | None = None) -> None:
        self.source = source
        self.data = data
        self.path = path
        self.nodes = nodes  # of all the documents in the file; None: it is JSON

    def place(self, path: Path) -> tuple[int, int, int]:
        """Line, column and width of the value at a path, or of as much of the path as there is; of a collection its key."""
        if self.nodes is None:
            begin, end = _found(self.source.text, path)
            return *self.source.place(begin), max(1, end - begin)
        shown = found = None
        for part in path:
            inside: Any = self.nodes if found is None else found
            try:
                found = inside[part]
            except (KeyError, IndexError, TypeError):
                break
            key = next((key for key in inside if key == part), None) if isinstance(inside, dict) else None
            shown = key if key is not None and not isinstance(found, str) else found
        return (shown.line, shown.column, shown.width) if shown is not None else (1, 1, 1)


def _found(text: str, path: Path) -> tuple[int, int]:
    while True:
        try:
            return json_places.find(text, path)
        except IndexError:  # of an item that is not there
            path = path[:-1]


def documents_of(source: Source) -> list[Document]:
    """All that is in a file of JSON or YAML. Raises `Invalid`, without a word of what stands in the file."""
    quiet = QuietSource(source.file, source.text)
    code, how = CODE.get(os.path.splitext(source.file)[1], ("", ""))
    if code:
        raise quiet.fail("wrong-type", f"this is {code}, which only its program reads", 1, 1, cure=how)
    try:
        return _documents(quiet)
    except Invalid as invalid:
        raise template_in(quiet, invalid) or Invalid([_without_quotes(item) for item in invalid.diagnostics]) from None


def _documents(source: QuietSource) -> list[Document]:
    if source.text.lstrip()[:1] in ("{", "["):
        try:
            return [Document(source, read_json(source))]
        except Invalid:
            if source.file.endswith(".json"):
                raise
        source = QuietSource(source.file, without_surrogates(source.text))  # YAML's flow form, or broken
    nodes = parse_all(source)
    if not nodes:
        raise source.fail("empty-file", "there is nothing in this file", 1, 1)
    return [Document(source, plain_data(node), (index,), nodes) for index, node in enumerate(nodes)]


def _without_quotes(item: Diagnostic) -> Diagnostic:
    quotes = item.code in ("yaml-syntax", "yaml-tag") and QUOTES_THE_FILE.search(item.message)
    return item._replace(message="this is not YAML", cure="quote text that begins with * & or !") if quotes else item
