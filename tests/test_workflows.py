"""The workflows for GitHub: what can be known of them without running them there."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from kits.documents import understood
from kits.paths import ROOT

WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text("utf-8")) for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
JOBS: dict[str, Any] = {name: job for workflow in WORKFLOWS.values() for name, job in workflow["jobs"].items()}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
SYSTEMS = {"ubuntu-latest", "macos-latest", "windows-latest"}


def runs() -> set[tuple[str, str]]:
    """Each system with each Python."""
    found: set[tuple[str, str]] = set()
    for job in JOBS.values():
        matrix = job["strategy"]["matrix"]
        found |= set(product(matrix.get("system", [job["runs-on"]]), matrix["python"]))
    return found


def test_three_systems_by_four_pythons() -> None:
    assert runs() == set(product(SYSTEMS, PYTHONS))


def test_the_pythons_are_those_that_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = [line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert declared == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"


@pytest.mark.parametrize("name", JOBS)
def test_a_job_runs_what_there_is(name: str) -> None:
    for step in JOBS[name]["steps"]:
        assert len(step.keys() & {"uses", "run"}) == 1
        if "run" in step:
            understood(step["run"])
            for path in re.findall(r"(?<![\w./-])(?:tests|scenarios)/[\w./-]*\w", step["run"]):
                assert (ROOT / path).exists(), path


def test_brokers_are_where_the_live_tests_look_for_them() -> None:
    ports = {port.partition(":")[0] for service in JOBS["linux"]["services"].values() for port in service["ports"]}
    assert {"5672", "15672", "5640", "15640", "5643", "15643", "6379"} == ports
    start = (ROOT / "tests" / "brokers" / "start").read_text("utf-8")
    plugins = set(re.findall(r"rabbitmq_\w+", next(line for line in start.splitlines() if line.startswith("plugins="))))
    enabled = set(re.findall(r"rabbitmq_\w+", str(JOBS["linux"]["steps"])))
    assert plugins == enabled | {"rabbitmq_management"}  # which those images have on


def linter(name: str) -> str:
    """Beside the interpreter, where `.[test]` has put it, or wherever else it is found."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    return path or pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        *(("vendor.github-workflows", f".github/workflows/{name}") for name in WORKFLOWS),
        ("vendor.github-actions", ".github/action.yml"),
    ],
)
def test_they_have_the_form_that_github_wants(schema: str, path: str) -> None:
    command = [linter("check-jsonschema"), "--builtin-schema", schema, path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_unsafe_is_found_in_them() -> None:
    """Actions by their major version, as everywhere in the documentation, are meant."""
    command = [linter("zizmor"), "--offline", "--no-progress", "--format", "json", ".github"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = [(item["ident"], item["locations"][0]["symbolic"]["key"]) for item in json.loads(done.stdout)]
    assert [item for item in found if item[0] != "unpinned-uses"] == []
