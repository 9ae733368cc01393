"""`routesim new`: every template runs green, teaches, and fits on a slide; no file is ever lost."""

import os
from pathlib import Path

import pytest
from kits.scenario import routesim

from routesim.run import Runner
from routesim.scenario import load
from routesim.scenario.starting import DEFAULT, FOLDER, template, templates

NAMES = list(templates())


def test_there_are_templates() -> None:
    wanted = {"work-queue", "pubsub", "routing", "topics", "rpc", "retry", "dead-letter", "delayed", "priority"}
    assert wanted <= set(NAMES)
    assert DEFAULT in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_template_runs_green_and_teaches(name: str) -> None:
    scenario = load(str(FOLDER / f"{name}.yaml"))
    assert scenario.warnings == ()
    result = Runner(scenario).run()
    assert result.ok, (result.errors, [item for item in result.expectations if not item.ok])
    assert len(result.expectations) >= 3
    assert scenario.description.endswith(".")
    text = template(name)
    assert text.isascii(), "shown on every terminal"
    assert text.count("#") >= 2, "says why"
    assert len(text.splitlines()) <= 45, "fits on a slide"
    assert max(map(len, text.splitlines())) <= 125


@pytest.mark.parametrize("name", NAMES)
def test_new_writes_what_run_reads(name: str) -> None:
    outcome = routesim("new", "-", "--template", name)
    assert (outcome.status, outcome.out, outcome.err) == (0, template(name), "")
    assert routesim("run", "-", "--quiet", stdin=outcome.out.encode()).status == 0


def test_the_list_says_what_each_shows() -> None:
    outcome = routesim("new", "--list")
    assert outcome.status == 0
    assert [line.split()[0] for line in outcome.out.splitlines()] == NAMES
    assert all(sentence in outcome.out for sentence in templates().values())


@pytest.mark.parametrize(
    ("name", "file"),
    [("shop", "shop.scenario.yaml"), ("shop.yaml", "shop.yaml"), ("a.yml", "a.yml"), ("v1.2", "v1.2.scenario.yaml")],
)
def test_the_file_is_named(name: str, file: str, tmp_path: Path) -> None:
    outcome = routesim("new", str(tmp_path / name))
    assert (outcome.status, outcome.out) == (0, "")
    assert file in outcome.err
    assert (tmp_path / file).read_text(encoding="utf-8") == template(DEFAULT)


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("mine")
    outcome = routesim("new", str(path))
    assert (outcome.status, "--force" in outcome.err, path.read_text()) == (2, True, "mine")
    assert routesim("new", str(path), "--force").status == 0
    assert path.read_text() == template(DEFAULT)
    os.symlink(tmp_path / "nowhere", tmp_path / "link.yaml")
    assert routesim("new", str(tmp_path / "link.yaml")).status == 2


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [((), "routesim new shop"), (("x", "-t", "topic"), "topics"), (("x", "-t", "zzzzzz"), "work-queue"), (("no/such/folder/x",), "cannot write")],
)  # fmt: skip
def test_what_the_command_line_gets_wrong(arguments: tuple[str, ...], hint: str) -> None:
    outcome = routesim("new", *arguments)
    assert (outcome.status, outcome.out, hint in outcome.err) == (2, "", True), outcome.err
