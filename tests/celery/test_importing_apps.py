"""`import celery`: what of an app reaches the scenario, and what an app that misbehaves does to us: nothing."""

import os
import re
import sys
import time
from pathlib import Path

import pytest

from routesim.celery_app.problems import last_words
from routesim.celery_app.secrets import MASK, masked
from routesim.cli.handlers.celery.reading_apps import import_app
from routesim.cli.main import _status
from routesim.cli.shared.exits import NO_VERDICT, OK, UNUSABLE, UsageError
from routesim.scenario.yaml.source import read_source
from routesim.testing.api import loads, simulate

APPS = Path(__file__).with_name("apps")
ROUTED = Path(__file__).with_name("routed.yaml")


def imported(app, directory=APPS, *, output=None, workers=1, python=None, timeout=30.0, rabbitmq=None, debug=False):
    return import_app(app, output, workers, str(directory), python, timeout, rabbitmq, debug=debug)


@pytest.fixture(autouse=True)
def _no_broker_of_the_person(monkeypatch):
    for name in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path):
    """Writes a package `shop` with these modules."""

    def write(**modules):
        folder = tmp_path / "shop"
        folder.mkdir(exist_ok=True)
        for name, text in {"__init__": "", **modules}.items():
            (folder / f"{name}.py").write_text(text)
        return tmp_path

    return write


def test_everything_that_an_app_can_say(capsys):
    assert imported("routed", rabbitmq="3.10") == OK
    out, err = capsys.readouterr()
    assert (out, err) == (ROUTED.read_text(encoding="utf-8"), "")


@pytest.mark.parametrize("app", sorted(path.stem for path in APPS.glob("*.py")))
def test_what_is_imported_runs(tmp_path, app):
    """With every task of the app called once, and run once."""
    written = tmp_path / "scenario.yaml"
    assert imported(app, output=str(written), rabbitmq="3.10", workers=2) == OK
    text = written.read_text(encoding="utf-8")
    tasks = re.findall(r"- call: \{task: ([\w.]+)\}", text)
    expected = "".join(f"    {task}-1: {{state: SUCCESS, runs: {2 if task == 'forget' else 1}}}\n" for task in tasks)
    assert tasks
    assert simulate(loads(f"{text}expect:\n  tasks:\n{expected}")).failures == ()


@pytest.mark.parametrize(
    ("url", "rabbitmq", "told"), [("amqp://", None, True), ("amqp://", "3.13", False), ("redis://", None, False)]
)
def test_which_rules_hold_is_told_where_no_version_is_said(project, capsys, url, rabbitmq, told):
    where = project(app=f"from celery import Celery\napp = Celery('shop', broker='{url}')\n")
    assert imported("shop.app", where, rabbitmq=rabbitmq) == OK
    assert ("\n# The rules are those of RabbitMQ 4.3; if yours is older, write `rabbitmq:`" in capsys.readouterr().out) == told


def test_no_password_is_told(capsys):
    assert "swordfish" in (APPS / "routed.py").read_text()
    imported("routed")
    imported("routed:nothing", debug=True)
    assert "swordfish" not in "".join(capsys.readouterr())


def test_a_password_in_an_exception_is_not_told(project, capsys):
    where = project(app='raise OSError("cannot reach amqp://shop:sword:fish@rabbit/shop")')
    assert imported("shop.app", where, debug=True) == UNUSABLE
    err = capsys.readouterr().err
    assert "amqp://***@rabbit/shop" in err
    assert "fish" not in err.replace('raise OSError("', "")


# What a library says of a connection that failed, where the secret is swordfish.
TOLD = [
    "password=swordfish", "could not log in with password='sword swordfish' to rabbit", '{"password": "swordfish", "user": "shop"}',
    "DB_PASSWORD=swordfish; retrying", "Authorization: Bearer swordfish.abc", "https://rabbit/api?token=swordfish&page=1",
    "connecting as shop:swordfish@rabbit:5672", "api_key: swordfish", "Settings(secret='swordfish', x=1)", "dsn=https://swordfish@s/1",
    "b'password': b'swordfish'", "redis://:swordfish@rabbit/0", "login with password swordfish7 was refused",
    "token eyJhbGciOiJIUzI1NiJ9.swordfish.signature", "sk_live_swordfishswordfish", "-----BEGIN PRIVATE KEY-----\nswordfish\n",
]  # fmt: skip
# What is none stays, for it says what is wrong.
SAID = [
    "KeyError: 'DB_PASSWORD'", "TokenError: expired at noon", "__init__() got an unexpected keyword argument 'password'",
    "ImproperlyConfigured: SECRET_KEY must not be empty", "module 'settings' has no attribute 'TOKEN'",
    "SyntaxError: invalid syntax (secrets.py, line 3)", "no module named 'shop.tokens'", "at 12:30 mail to a@b.c failed",
]  # fmt: skip


def test_secrets_in_free_text_are_masked():
    for text in TOLD:
        assert "swordfish" not in masked(text), text
        assert MASK in masked(text)
    for text in SAID:
        assert masked(text) == text


@pytest.mark.parametrize("text", [TOLD[0], TOLD[2], TOLD[6]])
def test_a_secret_in_an_exception_is_told_nowhere(text, project, capsys):
    where = project(
        app=f"import os\nraise OSError(os.environ['SAYS'] + ' ' * 300 + {text!r}.replace('swordfish', 'sword' + 'fish'))"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYS", text)
        assert imported("shop.app", where, debug=True) == UNUSABLE
    err = "".join(capsys.readouterr())
    assert MASK in err
    shown = [line for line in err.splitlines() if "raise OSError" not in line]  # its own source line, of --debug
    assert "swordfish" not in "\n".join(shown)


def test_the_last_line_of_a_process_that_died_is_masked_before_it_is_cut():
    for blanks in range(150, 210):
        assert "sword" not in last_words(f"{'x' * blanks} amqp://shop:swordfish@rabbit/shop")


APP = "from celery import Celery\n{name} = Celery('shop')\n"


@pytest.mark.parametrize(
    ("modules", "name"),
    [
        ({"app": APP.format(name="app")}, "shop.app:app"),
        ({"app": APP.format(name="app")}, "shop.app"),
        ({"app": APP.format(name="queue")}, "shop.app"),
        ({"app": APP.format(name="queue")}, "shop.app:queue"),
        ({"app": APP.format(name="queue")}, "shop.app.queue"),
        ({"celery": APP.format(name="app")}, "shop"),
        ({"__init__": "from shop.celery import app as celery", "celery": APP.format(name="app")}, "shop"),
    ],
)
def test_an_app_is_found_as_celery_finds_it(project, capsys, modules, name):
    assert imported(name, project(**modules)) == OK
    assert "apps: {shop: {}}" in capsys.readouterr().out


SETTINGS = """
import sys, types
from celery import Celery
settings = types.ModuleType("settings")
settings.CELERY_TASK_DEFAULT_QUEUE = "web"
settings.CELERY_WORKER_CONCURRENCY = 8
settings.CELERY_BROKER_URL = "redis://:swordfish@cache/0"
settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60}
settings.CELERY_RESULT_BACKEND = "redis://:swordfish@cache/1"
settings.CELERY_TASK_ALWAYS_EAGER = True
settings.OTHER = "swordfish"
sys.modules["settings"] = settings
app = Celery("shop")
app.config_from_object("settings", namespace="CELERY")
app.autodiscover_tasks(["shop"])
"""


def test_settings_with_a_namespace_and_discovered_tasks_and_redis(project, capsys):
    tasks = "from celery import shared_task\n@shared_task\ndef mail(): ...\n"
    assert imported("shop.app", project(app=SETTINGS, tasks=tasks), workers=2) == OK
    out = capsys.readouterr().out
    assert "\nbroker:\n  kind: redis\n" in out
    for setting in ("task_default_queue: web", "worker_concurrency: 8", "broker_transport_options: {visibility_timeout: 60}"):
        assert setting in out
    assert "workers: {w1: {}, w2: {}}" in out
    assert "tasks: {shop.tasks.mail: {}}" in out
    assert 'result_backend: "redis://"' in out  # where that is does not matter
    assert "task_always_eager is not simulated: tasks run in the caller" in out
    assert "swordfish" not in out


ODD = """
from celery import Celery
app = Celery("shop", broker="sqs://AKIA:swordfish@")
app.conf.update(
    worker_concurrency="auto", worker_prefetch_multiplier="2", task_default_delivery_mode="transient", task_routes={"x": {}},
    task_default_queue_type="classic", task_time_limit=None, accept_content=["pickle"],
)
@app.task(retry_backoff=True, autoretry_for=(OSError,))
def hello(word): ...
@app.on_after_configure.connect
def periodic(sender, **more):
    sender.add_periodic_task(10.0, hello.s("swordfish"))
    sender.add_periodic_task(0.5, hello.s("swordfish", 2))
    sender.add_periodic_task(30.0, hello.s("swordfish"), name="named", expires=10)
"""
ODD_SECTION = """
celery:
  apps: {shop: {task_default_delivery_mode: 1, worker_prefetch_multiplier: 2}}
  workers: {w1: {}}
  tasks: {shop.app.hello: {autoretry: true, retry_backoff: true}}
  beats:
    beat:
      schedule:
        shop.app.hello: {task: shop.app.hello, every: 10s}
        shop.app.hello-2: {task: shop.app.hello, every: 500ms}
        named: {task: shop.app.hello, every: 30s, expires: 10}

steps:
"""


def test_values_as_they_come_from_the_environment_and_periodic_tasks_without_names(project, capsys):
    assert imported("shop.app", project(app=ODD)) == OK
    out = capsys.readouterr().out
    assert ODD_SECTION in out
    for sentence in (
        "broker sqs: not simulated; the scenario runs on RabbitMQ",
        "worker_concurrency is auto: not simulated; Celery's default stands here",
        "accept_content: without a meaning for messages",
    ):
        assert f"#   {sentence}\n" in out
    assert "swordfish" not in out


NOISY = """
import atexit, sys, threading, time, warnings
from celery import Celery
print("{}" * 100)
sys.stdout = sys.stderr = None
warnings.warn("old", DeprecationWarning)
threading.Thread(target=time.sleep, args=(60,)).start()
atexit.register(time.sleep, 60)
app = Celery("shop")
"""


def test_what_an_app_prints_and_leaves_running_does_not_reach_us(project, capfd):
    began = time.monotonic()
    assert imported("shop.app", project(app=NOISY)) == OK
    out, err = capfd.readouterr()
    assert err == ""
    assert read_source("-", out.encode()).text == out
    assert "{}{}" not in out
    assert time.monotonic() - began < 20


BAD = {
    "exits": ("import sys\nsys.exit(4)", "shop.app", "shop/app.py:2: shop.app ends the process while it is imported: sys.exit(4)"),
    "dies": (
        "import os\nprint('bye')\nos.write(1, b'bye')\nos._exit(4)", "shop.app",
        "the process that imported shop.app ended with status 4; its last line: bye",
    ),
    "raises": ("x = 1\n\nx / 0", "shop.app", "shop/app.py:3: shop.app cannot be imported: ZeroDivisionError: division by zero"),
    "syntax": ("x = (", "shop.app", "shop/app.py:1: shop.app cannot be imported: SyntaxError: '(' was never closed"),
    "misses": (
        "import nothing.at.all", "shop.app",
        "shop/app.py:1: shop.app cannot be imported: ModuleNotFoundError: No module named 'nothing'\n  name the interpreter",
    ),
    "connects": (
        APP.format(name="app") + "app.send_task('x')", "shop.app",
        "shop/app.py:3: shop.app talks to its broker while it is imported; an import makes no connection",
    ),
    "no module": (APP.format(name="app"), "shop.ap", "there is no module shop.ap; looked in {where} and on the path of the "
                  "interpreter\n  did you mean 'shop.app'?"),
    "no package": (APP.format(name="app"), "shob.app", "there is no module shob; looked in {where} and on the path of the "
                   "interpreter\n  did you mean 'shop'?"),
    "no attribute": ("application = 1", "shop.app:aplication", "shop.app has no aplication\n  did you mean 'application'?"),
    "another": (APP.format(name="queue"), "shop.app:app", "shop.app has no app\n  take shop.app:queue"),
    "no app": ("app = 1", "shop.app:app", "shop.app:app is no Celery app but a int\n  name it as for"),
    "factory": ("def app(): ...", "shop.app:app", "shop.app:app is no Celery app but a function\n  name it as for"),
    "package": (APP.format(name="app"), "shop", "shop has no Celery app\n  name it as for `celery -A`: package.module:attribute; "
                "its modules are shop.app"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_an_app_that_cannot_be_read(project, capfd, name):
    text, app, expected = BAD[name]
    where = project(app=text)
    assert imported(app, where) == UNUSABLE
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"error: {expected.format(where=where)}"), err
    assert "Traceback" not in err


def test_debug_shows_where(project, capsys):
    assert imported("shop.app", project(app="1 / 0"), debug=True) == UNUSABLE
    assert "Traceback" in capsys.readouterr().err


def test_an_error_in_the_celery_module_of_a_package_does_not_hide(project, capsys):
    assert imported("shop", project(celery="import nothing")) == UNUSABLE
    assert "shop/celery.py:1: shop cannot be imported: ModuleNotFoundError" in capsys.readouterr().err


def test_an_app_that_hangs_is_ended_with_what_it_started(project, capsys, tmp_path):
    sleeper = "import subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    where = project(app=sleeper + "open('pid', 'w').write(str(child.pid))\nprint('wait', flush=True)\ntime.sleep(60)")
    assert imported("shop.app", where, timeout=3) == NO_VERDICT
    expected = "error: shop/app.py:5: shop.app was not imported within 3 s; its last line: wait\n  --timeout"
    assert capsys.readouterr().err.startswith(expected)
    assert _gone(int((tmp_path / "pid").read_text()))


def _gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has taken note of that yet."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def test_an_interpreter_without_celery(tmp_path, capsys):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    python.chmod(0o755)
    assert imported("plain", python=str(python)) == UNUSABLE
    err = capsys.readouterr().err
    assert err.startswith("error: Celery is not installed for ")
    assert "pip install celery" in err


def test_a_module_of_the_project_named_celery_is_not_taken_for_celery(tmp_path, capsys):
    (tmp_path / "celery.py").write_text("raise OSError")
    (tmp_path / "shop.py").write_text(APP.format(name="app"))
    assert imported("shop", tmp_path) == OK


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"python": "no/python"}, "cannot run no/python: No such file or directory"),
        ({"directory": "/no/directory"}, "there is no directory /no/directory"),
        ({"rabbitmq": "1.2"}, "1.2"),
    ],
)
def test_what_is_not_there(options, expected):
    with pytest.raises(UsageError, match=expected):
        imported("plain", **options)


@pytest.mark.parametrize("name", ["", "./app.py", "-x", "app.py"])
def test_what_is_no_name_of_an_app(name):
    with pytest.raises(UsageError, match="is no app"):
        imported(name)


def test_two_words_are_a_command_beside_the_file_of_that_name(tmp_path, monkeypatch, capsys):
    (tmp_path / "celery").write_text('{"queues": [{"name": "q", "vhost": "/"}]}')
    (tmp_path / "shop.py").write_text(APP.format(name="app"))
    monkeypatch.chdir(tmp_path)
    for arguments, status, told in (
        (["import", "celery", "shop"], OK, "apps: {shop: {}}"),
        (["import", "./celery"], OK, "queues:\n  q:\n"),
        (["import", "shop:app"], UNUSABLE, "routesim import celery shop:app"),
        (["import", "celery"], UNUSABLE, "routesim import celery needs APP"),
        (["import", "celery", "--help"], OK, "routesim import celery proj.app:app --workers 2"),
        (["import", "--help"], OK, "routesim import celery proj.app:app"),
        (["--debug", "import", "celery", "nothing.there"], UNUSABLE, "there is no module nothing"),
    ):
        assert _status(arguments) == status
        assert told in "".join(capsys.readouterr())


CODE = """
from celery import Celery, bootsteps, signals
from kombu import Exchange, Queue

app = Celery("shop", amqp="shop.amqp:Amqp")
class DeadLetters(bootsteps.StartStopStep):
    requires = {"celery.worker.components:Pool"}
    def start(self, worker): ...
class Listener(bootsteps.ConsumerStep):
    def get_consumers(self, channel): return []
app.steps["worker"].add(DeadLetters)
app.steps["consumer"].add(Listener)
app.conf.task_queues = [Queue("celery"), Queue("passing", Exchange("passing", delivery_mode=1), routing_key="passing", no_ack=True),
    Queue("failing", queue_arguments={"x-dead-letter-exchange": "dlx"}, consumer_arguments={"x-priority": 5})]
@signals.worker_ready.connect
def greet(**more): ...
@signals.before_task_publish.connect
def stamp(**more): ...
@signals.after_setup_logger.connect
def plain_log(**more): ...
@app.task(max_retries=None)
def forever(): ...
@app.task(delivery_mode="transient")
def passing(): ...
app.conf.beat_schedule = {"e": {"task": "shop.app.passing", "schedule": 30, "options": {"queue": "celery", "countdown": 5, "delivery_mode": 1, "shadow": "s", "link": None}}}
"""


def test_code_that_may_declare_or_publish_is_told(project, capsys):
    amqp = "from celery.app.amqp import AMQP\nclass Amqp(AMQP): ...\n"
    assert imported("shop.app", project(app=CODE, amqp=amqp), rabbitmq="4.0") == OK
    out, err = capsys.readouterr()
    steps = [
        f"bootstep shop.app.{name} is not simulated: what it declares, consumes and publishes is not here"
        for name in ("DeadLetters", "Listener")
    ]
    dead = "queue failing dead-letters to exchange dlx, which no task queue declares: where a bootstep does, write that"
    told = [line.removeprefix("warning[not-simulated]: ") for line in err.splitlines() if line]
    assert told[:2] == steps
    assert told[2].startswith(dead)
    assert told[3:] == ["countdown, delivery_mode in schedules: not simulated"]
    assert out.count("in schedules") == 2  # the other one is shadow
    for sentence in (
        *steps,
        "shop.app.greet on worker_ready: what it declares, publishes and changes is not here",
        "shop.app.stamp on before_task_publish: what it declares, publishes and changes is not here",
        '"shop.amqp:Amqp" in place of Celery\'s own class: what it declares and sends otherwise is not here',
    ):
        assert f"#   {sentence}\n" in out
    assert "plain_log" not in out
    assert out.count("delivery_mode: 1") == 2
    assert "consumer_arguments: {x-priority: 5}" in out
    assert "no_ack: true" in out
    assert "max_retries: none" in out
    assert simulate(loads(out)).failures == ()


def test_the_time_zone_and_annotations_of_an_app_are_in_its_scenario(project, capsys):
    app = (
        APP.format(name="app")
        + """
from celery.schedules import crontab
app.conf.update(
    timezone="Europe/Berlin", task_annotations={"shop.app.a": {"rate_limit": "5/m"}, "*": {"time_limit": 7}}, worker_pool="solo",
    broker_connection_retry=False, beat_schedule={"e": {"task": "shop.app.a", "schedule": crontab(hour=3)}},
)
@app.task
def a(): ...
"""
    )
    assert imported("shop.app", project(app=app)) == OK
    out, err = capsys.readouterr()
    assert "timezone: Europe/Berlin" in out
    assert 'shop.app.a: {time_limit: 7, rate_limit: "5/m"}' in out
    assert "worker_pool: solo" in out
    assert "broker_connection_retry: false" in out
    assert err.startswith("warning[not-simulated]: broker_connection_retry is not simulated")


@pytest.mark.parametrize(
    ("celery", "kombu", "told"), [("5.6.3", "5.6.2", True), ("5.6.3", "5.7.0", False), ("5.5.3", "5.5.4", False)]
)
def test_a_kombu_that_does_not_know_rabbitmq_4_is_told(project, capsys, celery, kombu, told):
    folder = project(
        app=f"""
import celery, kombu
celery.__version__, kombu.__version__ = "{celery}", "{kombu}"
app = celery.Celery("shop", broker="amqp://")
"""
    )
    assert imported("shop.app", folder) == OK
    said = 'kombu "5.6.2" is not simulated: on RabbitMQ 4.0 and later its workers limit'
    assert [said in text for text in capsys.readouterr()] == [told, told]
