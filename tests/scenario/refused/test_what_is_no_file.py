"""What is no ordinary file is not read, and a file that is no definitions file is not shown."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from kits.cli import environment
from kits.paths import ROOT

from routesim.diagnostics import Invalid
from routesim.scenario import load
from routesim.scenario.definitions.list_form import read_json
from routesim.scenario.yaml import source
from routesim.scenario.yaml.source import Source, read_source

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture
def no_files(tmp_path: Path) -> dict[str, str]:
    """What is no file, by the words in which that is said."""
    pipe, server = tmp_path / "pipe", socket.socket(socket.AF_UNIX)
    os.mkfifo(pipe)
    server.bind(str(tmp_path / "socket"))
    server.close()
    return {"a named pipe": str(pipe), "a device": "/dev/zero", "a folder": str(tmp_path)}


@pytest.mark.parametrize("kind", ["a named pipe", "a device", "a folder"])
@pytest.mark.parametrize("named_in_a_scenario", [False, True])
def test_it_is_refused_at_once(kind: str, named_in_a_scenario: bool, no_files: dict[str, str], tmp_path: Path) -> None:
    path = no_files[kind]
    if named_in_a_scenario:
        scenario = tmp_path / "scenario.yaml"
        scenario.write_text(f"definitions: {path}\n")
        path = str(scenario)
    with pytest.raises(Invalid) as refused:
        load(path)
    (problem,) = refused.value.diagnostics
    assert problem.code == "unreadable-file"
    assert f"this is {kind}" in problem.message


def test_a_socket_is_refused(no_files: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        read_source(os.path.join(no_files["a folder"], "socket"))


@pytest.mark.parametrize("sparse", [True, False])
def test_more_than_anybody_writes_is_refused(sparse: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the size that the file says it has, before a byte of it is read; of a pipe, by what comes."""
    if sparse:
        path = tmp_path / "huge.json"
        with open(path, "wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(Invalid, match="more than 128 MiB"):
            read_source(str(path))
        return
    monkeypatch.setattr(source, "MOST_BYTES", 10)
    with pytest.raises(Invalid, match="more than 128 MiB"):
        read_source("-", b"name: a long one")
    assert read_source("-", b"name: a").text == "name: a"


def test_a_link_to_nothing_is_told_as_one(tmp_path: Path) -> None:
    link = tmp_path / "shop.yaml"
    link.symlink_to("gone.yaml")
    with pytest.raises(Invalid) as refused:
        load(str(link))
    (problem,) = refused.value.diagnostics
    assert (problem.message, problem.cure) == ("this is a link to gone.yaml, which is not there", "")


@pytest.mark.parametrize("command", ["run", "check", "graph", "upgrade --rabbitmq 4.3..4.3.1", "celery monitor", "explore"])
def test_a_pipe_of_the_shell_is_read_once_however_often_it_is_looked_at(command: str) -> None:
    command = f"{sys.executable} -m routesim {command} <(echo 'queues: {{q: }}')"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_pipe_of_the_shell_is_not_read_where_a_scenario_names_it(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("definitions: /dev/stdin\n")
    done = subprocess.run(
        [sys.executable, "-m", "routesim", "check", str(scenario)], cwd=ROOT, env=environment(), input=b"{}",
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"a named pipe" in done.stderr


@pytest.mark.parametrize("text", ["root:x:0:0:secret", "[client]\npassword=secret", "secret: true", '"secret'])
def test_what_is_no_json_is_not_shown(text: str, tmp_path: Path) -> None:
    (tmp_path / "foreign").write_text(text)
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("definitions: foreign\n")
    with pytest.raises(Invalid) as refused:
        load(str(scenario))
    (problem,) = refused.value.diagnostics
    assert problem.code == "not-json"
    assert "secret" not in repr(problem)
    assert "x:0:0" not in repr(problem)
    assert problem.place is not None
    assert (problem.place.file, problem.place.line) == (str(scenario), 1)


def test_where_a_definitions_file_stops_being_json_is_shown(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"queues": [],}')
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("definitions: own.json\n")
    with pytest.raises(Invalid) as refused:
        load(str(scenario))
    (problem,) = refused.value.diagnostics
    assert problem.source == '{"queues": [],}'


def test_an_empty_definitions_file_is_told_as_one() -> None:
    with pytest.raises(Invalid) as refused:
        read_json(Source("own.json", " \n"))
    (problem,) = refused.value.diagnostics
    assert (problem.code, problem.message) == ("not-json", "there is nothing in this file")


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ('{"queues": [],}', 14, "Illegal trailing comma before end of object"),
        ('{"queues": [1, ]}', 14, "Illegal trailing comma before end of array"),
        ('{"queues": [,]}', 13, "Expecting value"),
        ('{"queues": }', 12, "Expecting value"),
    ],
)
def test_every_python_says_of_json_where_it_stops(text: str, column: int, said: str, tmp_path: Path) -> None:
    """Of a comma too many those before 3.13 name another place than those after."""
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(Invalid) as refused:
        load(str(path))
    (problem,) = refused.value.diagnostics
    assert problem.message == f"this is not JSON: {said}"
    assert problem.place is not None
    assert problem.place.column == column
