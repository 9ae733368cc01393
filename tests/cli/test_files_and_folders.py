"""Which files a word of the command line means: what is left out of a folder is told, what comes along is there everywhere."""

from pathlib import Path

import pytest
from kits.cli import on_terminal
from kits.scenario import routesim

from routesim.cli.shared import files as naming
from routesim.cli.shared.exits import UsageError

SHOP = "queues: {q: {}}\nsteps:\n  - publish: {routing_key: q, id: m}\nexpect: {queues: {q: {ready: [m]}}}\n"
COMPOSE = "name: shop\nservices:\n  rabbit: {image: 'rabbitmq:4'}\n"


@pytest.mark.parametrize("word", ["scenarios/hello.yaml", "./scenarios/hello.yaml", "hello"])
def test_what_the_documentation_names_runs_in_an_empty_folder(word: str) -> None:
    assert routesim("run", "-q", word).out.startswith("OK  Hello")


@pytest.mark.parametrize("word", ["scenarios/nope.yaml", "scenarios/../README.md", "scenarios/nope", "elsewhere/hello.yaml"])
def test_what_does_not_come_along_is_not_there(word: str) -> None:
    assert routesim("run", "-q", word).status == 2


def test_the_folder_of_what_comes_along_is_there_too() -> None:
    done = routesim("run", "-q", "scenarios/introduction/")
    assert (done.status, done.out.splitlines()[-1]) == (0, f"{done.out.count('OK  ')} scenarios: {done.out.count('OK  ')} OK")


def test_a_file_of_the_folder_wins() -> None:
    files: dict[str, str | bytes] = {"scenarios/hello.yaml": "name: Mine\n" + SHOP}
    assert routesim("run", "-q", "scenarios/hello.yaml", files=files).out.startswith("OK  Mine")


def test_a_file_of_another_program_is_left_out_and_told() -> None:
    files: dict[str, str | bytes] = {"shop.yaml": SHOP, "docker-compose.yml": COMPOSE}
    done = routesim("run", "-q", ".", files=files)
    assert (done.status, done.out.count("OK")) == (0, 1)
    assert done.err == "note: 1 YAML file left out (./docker-compose.yml): no section of a scenario stands there\n"
    assert routesim("run", "-q", "docker-compose.yml", files=files).status == 2  # where it is named, it is meant


def test_an_environment_of_python_is_not_looked_into() -> None:
    """`venv` is no hidden folder, and routesim's own scenarios lie in one in which it is installed."""
    inside = {"env/pyvenv.cfg": "home = /usr\n", "env/lib/routesim/scenarios/hello.yaml": SHOP, "env/lib/a.scenario.yaml": SHOP}
    files: dict[str, str | bytes] = {"shop.yaml": SHOP, **inside}
    done = routesim("run", "-q", ".", files=files)
    assert (done.status, done.out.count("OK"), done.err) == (0, 1, "")
    assert routesim("run", "-q", "env", files=files).out.count("OK") == 1  # where it is named, it is meant


def test_a_file_that_cannot_be_read_is_not_left_out() -> None:
    done = routesim(
        "run", "-q", ".", files={"shop.yaml": SHOP, "broken.yaml": "queues: {q: {\n", "empty.yaml": "", "bytes.yaml": b"\xff"}
    )
    assert done.status == 2
    assert "broken.yaml" in done.err
    assert "left out" not in done.err


@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_a_folder_of_too_many_files_is_refused(ending: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`routesim run /usr` is a mistake, to be told at once and not after minutes."""
    for number in range(6):
        (tmp_path / f"{number}.{ending}").write_text("{}")
    (tmp_path / "other.txt").write_text("")
    assert len(naming.found([str(tmp_path)])) == 6
    monkeypatch.setattr(naming, "MOST_CANDIDATES", 5)
    with pytest.raises(UsageError, match="has 6 files of YAML or JSON in it, too many to look through; name the folder"):
        naming.found([str(tmp_path)])
    (tmp_path / "one.scenario.yaml").write_text("queues: {q: }")
    assert [Path(path).name for path in naming.found([str(tmp_path)])] == ["one.scenario.yaml"]
    monkeypatch.setattr(naming, "MOST_FILES", 7)
    with pytest.raises(UsageError, match="has more than 7 files in it, too many to look through; name the folder"):
        naming.found([str(tmp_path)])


def test_what_stands_beside_named_scenarios_is_told() -> None:
    done = routesim(
        "run", "-q", ".", files={"shop.yaml": SHOP, "orders.scenario.yaml": "name: Orders\n" + SHOP, "compose.yaml": COMPOSE}
    )
    assert done.out.startswith("OK  Orders")
    why = "beside files that are named *.scenario.yaml, others are run where they are named"
    assert done.err == f"note: 1 YAML file left out (./shop.yaml): {why}\n"


def test_a_report_in_a_file_leaves_its_verdict_on_the_terminal(tmp_path: Path) -> None:
    for name, text in {"shop.yaml": SHOP, "false.yaml": SHOP.replace("[m]", "[]")}.items():
        (tmp_path / name).write_text(text)
    one = on_terminal("run", "shop", "-o", "shop.html", columns=80, cwd=tmp_path)
    assert one.text.strip() == "wrote shop.html: OK"
    both = on_terminal("run", "shop", "false", "-o", "both.xml", columns=80, cwd=tmp_path)
    assert (both.status, both.text.strip()) == (1, "wrote both.xml: 1 OK, 1 FAILED")
    assert on_terminal("run", "shop", "-q", "-o", "shop.html", columns=80, cwd=tmp_path).text.strip() == ""


@pytest.mark.parametrize(("command", "instead"), [("run", "html"), ("graph", "svg and mermaid"), ("check", "--format takes")])
def test_no_text_is_written_into_what_is_called_a_picture(command: str, instead: str) -> None:
    done = routesim(command, "shop", "-o", "shop.png", files={"shop.yaml": SHOP})
    assert (done.status, done.out) == (2, "")
    assert "nothing here is written as png" in done.err
    assert instead in done.err


@pytest.mark.parametrize(
    ("command", "output", "written"),
    [
        ("import defs.json", "shop.html", "a scenario in YAML"), ("import defs.json", "shop.json", "--format definitions"),
        ("export shop.yaml", "shop.svg", "a definitions file in JSON"), ("export shop.yaml", "json", "-o names a file"),
        ("export shop.yaml -f topology-operator", "shop.json", "YAML for Kubernetes"), ("schema", "schema.html", "a JSON Schema"),
        ("celery expand shop.yaml", "yaml", "-o names a file"), ("import celery shop", "shop.png", "a scenario in YAML"),
        ("import kombu shop", "shop.html", "a scenario in YAML"),
    ],
)  # fmt: skip
def test_what_is_written_in_one_format_alone_goes_into_no_file_of_another(command: str, output: str, written: str) -> None:
    files: dict[str, str | bytes] = {"shop.yaml": SHOP, "defs.json": '{"queues": []}'}
    done = routesim(*command.split(), "-o", output, files=files)
    assert (done.status, done.out) == (2, "")
    assert written in done.err


def test_a_format_is_no_file() -> None:
    """`-o json` is how kubectl and others are asked for a format."""
    done = routesim("run", "shop", "-o", "json", files={"shop.yaml": SHOP})
    assert (done.status, done.out) == (2, "")
    assert "`--format json`, or `-o ./json`" in done.err
    assert routesim("run", "shop", "-o", "./json", files={"shop.yaml": SHOP}).status == 0
