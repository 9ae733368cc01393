"""A file four times as large takes a command four times the work: operations are counted, not seconds."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kits.cli import within
from kits.growth import MOST, TOPOLOGIES, a_chain_of_dead_letters, objects_of_kubernetes, operations

SMALL = 15
COMMANDS = {
    "check": ("check", "FILE"), "diff": ("diff", "FILE", "OTHER"), "graph": ("graph", "--format", "dot", "FILE"),
    "upgrade": ("upgrade", "--from", "3.13", "--to", "4.0", "FILE"),
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", TOPOLOGIES, ids=lambda kind: kind.__name__)
def test_a_command_grows_with_its_file(kind: Callable[[int], str], command: str, tmp_path: Path) -> None:
    grows_with_its_file(kind, COMMANDS[command], tmp_path)


def test_an_import_grows_with_the_documents_of_its_file(tmp_path: Path) -> None:
    grows_with_its_file(objects_of_kubernetes, ("import", "topology-operator", "FILE"), tmp_path)


def test_a_drawing_grows_with_its_layers(tmp_path: Path) -> None:
    grows_with_its_file(a_chain_of_dead_letters, ("graph", "--format", "svg", "FILE"), tmp_path)


def grows_with_its_file(kind: Callable[[int], str], command: tuple[str, ...], folder: Path) -> None:
    def work(size: int) -> int:
        text = kind(size)
        (folder / "FILE").write_text(text)
        (folder / "OTHER").write_text(text.replace("q1", "r1"))
        return operations(lambda: within(*command, cwd=folder))

    work(4 * SMALL)  # what is made once for all is made now
    fixed, small, large = map(work, (2, SMALL, 4 * SMALL))
    one_of_few, one_of_many = (small - fixed) / (SMALL - 2), (large - small) / (4 * SMALL - SMALL)
    assert one_of_many / one_of_few < MOST / 4
