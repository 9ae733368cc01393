"""Every command in README and in the documentation runs, and shows what is shown. UPDATE_README=1 writes the outputs anew."""

import os
import re
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from kits.documents import README, Place, blocks, indented, pages, renewed, told, wrong
from kits.paths import ROOT

PAGES = pages()
PICTURES = re.findall(r"^<!-- picture: (routesim .*) > (\S+) -->$", README.read_text(encoding="utf-8"), re.MULTILINE)
MOST_LINES = 250
MARKS = ("first command", "second command")  # by which .ci/run and others find them


@pytest.mark.parametrize("path", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
def test_a_page_tells_the_truth(path: Path, tmp_path: Path) -> None:
    assert indented([text for shown in told(path, Place(tmp_path)) if (text := wrong(shown))]) == ""


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("mark", MARKS)
def test_the_two_commands_are_found_by_their_marks(mark: str) -> None:
    found = re.findall(rf"^<!-- {mark} -->\n```sh\n(.+)\n```$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == 1


def files() -> dict[str, str]:
    """The files that the README shows, by their names."""
    return {block.file: block.text for block in blocks(README.read_text(encoding="utf-8")) if block.file}


def test_the_workflow_is_one_and_its_commands_run(tmp_path: Path) -> None:
    steps = yaml.safe_load(files()[".github/workflows/scenarios.yml"])["jobs"]["routesim"]["steps"]
    assert all(step.keys() & {"uses", "run"} for step in steps)
    ours = [step["run"] for step in steps if step.get("run", "").startswith("routesim")]
    assert ours
    place = Place(tmp_path)
    (place.folder / "shop.scenario.yaml").write_bytes((ROOT / "scenarios/shoes.yaml").read_bytes())
    for command in ours:
        status, output = place.run(command)
        assert status == 0, output


def test_the_hook_runs_what_it_says(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {"id", "name", "entry", "language", "files"} <= hook.keys()
    assert re.search(hook["files"], "a/shop.scenario.yaml")
    assert not re.search(hook["files"], "docker-compose.yaml")
    place = Place(tmp_path)
    assert place.run(f"{hook['entry']} scenarios/hello.yaml scenarios/shoes.yaml")[0] == 0
    assert place.run(f"{hook['entry']} tests/cli/failing.yaml")[0] == 1
    (repo,) = yaml.safe_load(files()[".pre-commit-config.yaml"])["repos"]
    assert [item["id"] for item in repo["hooks"]] == [hook["id"]]


def test_there_is_a_picture() -> None:
    text = README.read_text(encoding="utf-8")
    assert PICTURES
    assert all(f"]({path})" in text for _, path in PICTURES)


@pytest.mark.parametrize(("command", "path"), PICTURES)
def test_a_picture_is_fresh(command: str, path: str, tmp_path: Path) -> None:
    """It is what its command prints."""
    status, output = Place(tmp_path).run(command)
    assert status == 0
    assert output == (ROOT / path).read_text(encoding="utf-8")


def update(names: list[str]) -> None:
    """Of all pages, or of those whose names hold one of these texts."""

    for path in PAGES:
        if names and not any(name in str(path) for name in names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            text = renewed(path, Place(Path(folder)))
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
    for command, picture in PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            (ROOT / picture).write_text(Place(Path(folder)).run(command)[1], encoding="utf-8")


if __name__ == "__main__" and os.environ.get("UPDATE_README"):
    update(sys.argv[1:])
