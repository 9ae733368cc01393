"""Every command in the README runs, and shows what the README shows. UPDATE_README=1 writes the outputs anew."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kits.paths import ROOT

README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATUS = {
    "routesim run tests/cli/mistakes.yaml": 2,
    "routesim check tests/cli/losing.yaml --format table": 1,
    "routesim diff tests/cli/losing.yaml tests/cli/mended.yaml": 1,
    "routesim upgrade scenarios/upgrade-delivery-limit.yaml --from 3.13 --to 4.0": 1,
    "routesim run scenarios/flaky-worker.yaml --seeds 1..1000 --jobs 0": 1,
    "routesim run --quiet tests/cli/failing.yaml": 1,
    "routesim celery compare scenarios/introduction/redis-notices-late.yaml": 1,
}


def parts(block: str) -> list[tuple[str, str]]:
    """Commands with the output shown below them."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        else:
            command, output = found[-1]
            found[-1] = (command, f"{output}{line}\n")
    return found


COMMANDS = [part for block in BLOCK.findall(README.read_text(encoding="utf-8")) for part in parts(block)]


def run(command: str) -> tuple[int, str]:
    environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        ["bash", "-c", command.replace("routesim ", f"{sys.executable} -m routesim ", 1)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_the_readme_tells_the_truth(command: str, shown: str) -> None:
    status, output = run(command)
    assert "internal error" not in output
    assert status == STATUS.get(command, 0), output
    if shown:
        assert shown.rstrip() == "\n".join(line.rstrip() for line in output.splitlines()).rstrip()


EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
WORKFLOWS = [text for text in EXAMPLES if "runs-on:" in text]


@pytest.mark.parametrize("text", [text for text in EXAMPLES if text not in WORKFLOWS])
def test_the_readme_shows_scenarios_that_hold(text: str, tmp_path: Path) -> None:
    """The scenarios in the text run, comments aside."""
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    status, output = run(f"routesim run --quiet {path}")
    assert status == 0, output


def test_the_workflow_is_one_and_its_command_runs() -> None:
    (text,) = WORKFLOWS
    steps = yaml.safe_load(text)["jobs"]["routesim"]["steps"]
    assert all(step.keys() & {"uses", "run"} for step in steps)
    (command,) = (step["run"] for step in steps if step.get("run", "").startswith("routesim"))
    status, output = run(command)
    assert status == 0, output


def test_the_hook_runs_what_it_says() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {"id", "name", "entry", "language", "files"} <= hook.keys()
    assert re.search(hook["files"], "a/shop.scenario.yaml")
    assert not re.search(hook["files"], "docker-compose.yaml")
    assert run(f"{hook['entry']} scenarios/hello.yaml scenarios/shoes.yaml")[0] == 0
    assert run(f"{hook['entry']} tests/cli/failing.yaml")[0] == 1


def test_the_picture_is_fresh() -> None:
    """The picture at the top is what its command prints."""
    command = re.search(r"^<!-- picture: (routesim .*) -->$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert command
    status, output = run(command[1])
    assert status == 0
    kept = (ROOT / ".github" / "explain.svg").read_text(encoding="utf-8")
    assert texts(output) == texts(kept)  # the drawing itself is rich's, and may change with it


def texts(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", svg)


def update() -> None:
    text = README.read_text(encoding="utf-8")

    def renewed(match: re.Match[str]) -> str:
        lines = []
        for command, shown in parts(match[1]):
            lines.append(f"$ {command}")
            if shown:
                lines += [line.rstrip() for line in run(command)[1].rstrip().splitlines()]
        return "```console\n" + "\n".join(lines) + "\n```"

    README.write_text(BLOCK.sub(renewed, text), encoding="utf-8")
    command = re.search(r"^<!-- picture: (routesim .*) -->$", text, re.MULTILINE)
    assert command
    (ROOT / ".github" / "explain.svg").write_text(run(command[1])[1], encoding="utf-8")


if __name__ == "__main__" and os.environ.get("UPDATE_README"):
    update()
