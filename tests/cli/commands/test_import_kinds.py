"""The words of `routesim import`: kinds, files, and what is neither."""

import subprocess

import pytest
from kits.cli import COMMAND, environment, within

OBJECT = "apiVersion: rabbitmq.com/v1beta1\nkind: Queue\nmetadata: {name: q}\nspec: {name: q, durable: true}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("symfny", "x.yaml"), "error: 'symfny' is neither a file nor a kind of files; did you mean 'symfony'?; kinds: definitions, topology-operator,"),
        (("rascall",), "did you mean 'rascal'?"),
        (("kubernetes", "x.yaml"), "did you mean 'topology-operator'?"),
        (("zzz", "x.yaml"), "error: 'zzz' is neither a file nor a kind of files; kinds: "),
        (("a.yaml", "b.yaml"), "error: 'a.yaml' is neither a file nor a kind of files; kinds: "),
        (("rascal",), "error: import rascal needs a file: `routesim import rascal FILE`"),
        (("celery",), "APP"),
        (("definitions", "a.json", "b.json"), "error: a definitions file is imported by itself"),
        (("nosuch.json",), "there is no such file"),
        ((), "error: give either files or --management URL"),
    ],
)  # fmt: skip
def test_what_is_no_kind_is_never_an_empty_scenario(tmp_path, words, said):
    done = within("import", *words, cwd=tmp_path)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_files_of_a_kind_that_is_not_theirs_are_refused(tmp_path):
    (tmp_path / "objects.yaml").write_text(OBJECT)
    for kind in ("symfony", "old-sound", "terraform", "rascal", "asyncapi"):
        done = within("import", kind, "objects.yaml", cwd=tmp_path)
        assert (done.status, done.out) == (2, ""), kind
        assert "nothing of a topology is declared here" in done.err or "no channel of this document" in done.err


def test_several_files_stdin_and_a_folder(tmp_path):
    (tmp_path / "k8s" / "below").mkdir(parents=True)
    (tmp_path / "k8s" / "a.yaml").write_text(OBJECT)
    (tmp_path / "k8s" / "below" / "b.yml").write_text(OBJECT.replace("name: q", "name: r"))
    (tmp_path / "k8s" / "values.yaml").write_text("replicas: 3\n")
    folder = within("import", "topology-operator", "k8s", cwd=tmp_path)
    files = within("import", "topology-operator", "k8s/a.yaml", "k8s/below/b.yml", cwd=tmp_path)
    assert folder.out.partition("\n")[2] == files.out.partition("\n")[2]
    assert "  q:\n  r:\n" in folder.out
    assert "# Imported from a.yaml and 1 more (objects" in files.out
    command = [*COMMAND, "import", "topology-operator", "-"]
    piped = subprocess.run(command, input=OBJECT, capture_output=True, check=True, encoding="utf-8", env=environment())
    assert piped.stdout.startswith("# Imported from stdin (objects")
    empty = within("import", "topology-operator", "k8s/none", cwd=tmp_path)
    assert "there is no such file" in empty.err


def test_a_folder_of_objects_is_one_topology_to_every_command(tmp_path):
    (tmp_path / "k8s").mkdir()
    binding = OBJECT.replace("Queue", "Binding").replace(
        "{name: q, durable: true}", "{source: x, destination: q, destinationType: queue}"
    )
    exchange = OBJECT.replace("Queue", "Exchange").replace("{name: q, durable: true}", "{name: x, durable: true, type: fanout}")
    for name, text in (("queue", OBJECT), ("binding", binding), ("exchange", exchange)):
        (tmp_path / "k8s" / f"{name}.yaml").write_text(text)
    done = within("check", "k8s", cwd=tmp_path)
    assert (done.status, done.out) == (0, ""), done
    assert "x" in within("graph", "k8s", cwd=tmp_path).out
    assert within("run", "k8s", "-q", cwd=tmp_path).status == 0
    (tmp_path / "k8s" / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [queue.yaml]\nnamePrefix: dev-\n"
    )
    done = within("import", "topology-operator", "k8s", cwd=tmp_path)
    assert "source" not in done.out.partition("steps")[0]
    assert "namePrefix of a kustomization: give what `kustomize build` prints" in done.out


def test_the_vhost_is_chosen_or_asked_for(tmp_path):
    both = (
        OBJECT.replace("durable: true", "durable: true, vhost: a")
        + "---\n"
        + OBJECT.replace("durable: true", "durable: true, vhost: b")
    )
    (tmp_path / "both.yaml").write_text(both)
    done = within("import", "both.yaml", cwd=tmp_path)
    assert (done.status, done.out) == (2, "")
    assert "something is declared in 2 vhosts: a, b" in done.err
    assert "vhost: b" in within("import", "both.yaml", "--vhost", "b", cwd=tmp_path).out
    assert "did you mean" in within("import", "both.yaml", "--vhost", "B", cwd=tmp_path).err
    assert within("run", "both.yaml", cwd=tmp_path).status == 2
    checked = within("check", "both.yaml", cwd=tmp_path)
    assert checked.status == 0, checked
    assert within("graph", "both.yaml", "--vhost", "b", cwd=tmp_path).status == 0


def test_a_template_of_ours_is_named_too(tmp_path):
    (tmp_path / "s.yaml").write_text("queues:\n  {{ name }}-q: {}\n")
    (tmp_path / "j.json").write_text('{"queues": [{% for q in queues %}{"name": "{{ q }}"}{% endfor %}]}')
    for name in ("s.yaml", "j.json"):
        done = within("check", name, cwd=tmp_path)
        assert done.status == 2
        assert "this is a template of Jinja" in done.err, done.err


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("terraform", "main.tf", "`terraform show -json` prints"), ("rascal", "config.js", "JSON.stringify"),
        ("symfony", "messenger.php", "debug:config framework messenger"), ("old-sound", "config.xml", "prints it as YAML"),
        ("asyncapi", "app.py", "`routesim import faststream`"),
    ],
)  # fmt: skip
def test_code_is_no_data(tmp_path, kind, name, said):
    (tmp_path / name).write_text("module.exports = {password: 'hunter2'};\n")
    done = within("import", kind, name, cwd=tmp_path)
    assert done.status == 2
    assert said in done.err
    assert "hunter2" not in done.err
