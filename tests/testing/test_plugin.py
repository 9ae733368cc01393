"""The pytest plugin, as pytest itself runs it."""

import pytest

pytest_plugins = ("pytester",)

GOOD = "queues: {q: }\nsteps: [publish: {routing_key: q}]\nexpect: {queues: {q: {ready: [m1]}}}\n"
BAD = "queues: {q: }\nexpect: {queues: {q: {ready: 1}}}\n"
SHOP = """
exchanges: {shop: topic}
queues: {warehouse: , audit: }
bindings: [{source: shop, destination: audit, routing_key: "#.shoes"}]
"""
TEST = """
def test_shoes(routesim_topology):
    shop = routesim_topology("shop.yaml")
    sent = shop.publish("shop", "ship.shoes")
    assert sent.queues == {"audit"}

def test_run(routesim_run):
    assert routesim_run("shop.yaml").ok
"""


@pytest.fixture
def ran(pytester: pytest.Pytester):
    def run(*arguments: str, **files: str) -> pytest.RunResult:
        for name, text in files.items():
            path = pytester.path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments)

    return run


def test_scenario_files_are_tests(ran) -> None:
    result = ran("-v", a_scenario_yaml=GOOD, sub__b_scenario_yml=GOOD, other_yaml=BAD, docker_yml="services: {}")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines([
        "a.scenario.yaml::queues.q.ready (line 3) PASSED*", "a.scenario.yaml::scenario PASSED*",
        "sub/b.scenario.yml::queues.q.ready (line 3) PASSED*", "sub/b.scenario.yml::scenario PASSED*",
    ])  # fmt: skip


def test_a_file_that_the_command_line_names_is_one_whatever_it_is_called(ran) -> None:
    ran("other.yaml", other_yaml=GOOD).assert_outcomes(passed=2)
    ran(other_yaml=GOOD).assert_outcomes()


def test_a_file_that_a_fixture_cannot_use_is_told_as_on_the_command_line(ran, pytester: pytest.Pytester) -> None:
    tests = "def test_run(routesim_run):\n    routesim_run('gone.yaml')\n\ndef test_topology(routesim_topology):\n    routesim_topology('bad.yaml')\n"
    pytester.makepyfile(test_files=tests)
    result = ran(bad_yaml="queues: {q: {durabel: true}}\n")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*there is no such file*", "*--> *gone.yaml*", "*--> *bad.yaml:1:14*", "*did you mean 'durable'?*"]
    )
    result.stdout.no_fnmatch_line("*source.py*")


def test_each_expectation_is_a_test(ran) -> None:
    text = GOOD + "routes: [{routing_key: q, queues: [q]}, {routing_key: q, queues: []}]\nnever: [{lost: true}]\n"
    result = ran("-v", a_scenario_yaml=text)
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        ["*::route q to the default exchange (line 4) #2 FAILED*", "*::no message is lost (line 5) PASSED*"]
    )
    ran("-k", "never or lost", a_scenario_yaml=text).assert_outcomes(passed=1, deselected=4)


def test_the_run_as_a_whole_is_a_test_too(ran) -> None:
    text = "queues: {q: }\nsteps: [delete: {queue: q}, get: {queue: q}]\nexpect: {lost: 0}\n"
    result = ran(a_scenario_yaml=text)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*FAILED a.scenario.yaml::scenario - step 2 is carried out: *"])


def test_the_one_test_of_before_still_means_all_of_it(ran) -> None:
    ran("bad.scenario.yaml::scenario", bad_scenario_yaml=BAD).assert_outcomes(failed=1)


def test_a_failure_reads_as_on_the_command_line(ran) -> None:
    result = ran(bad_scenario_yaml=BAD)
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines([
        "*queues.q.ready (line 2) of bad.scenario.yaml*",
        "found 0, because nothing was published, so nothing came into q",
        "bad.scenario.yaml:2: queues.q.ready is 1",
        "  found    0",
        "  because  nothing was published, so nothing came into q",
        "FAILED bad.scenario.yaml::queues.q.ready (line 2) - found 0, because*",
    ])  # fmt: skip
    assert "Traceback" not in result.stdout.str()
    assert "plugin.py" not in result.stdout.str()


def test_a_scenario_with_mistakes_shows_them_all(ran) -> None:
    result = ran(bad_scenario_yaml="queues: {q: {tipe: quorum}}\nexpect: {queues: {p: {ready: 0}}}\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["error?unknown-key?: *", "*bad.scenario.yaml:1:*", "error?unknown-queue?: *", "2 errors."])


@pytest.mark.parametrize("value", ["cases", "cases/deep", "cases/deep/a.yaml"])
def test_a_configured_folder(ran, pytester: pytest.Pytester, value: str) -> None:
    pytester.makeini(f"[pytest]\nroutesim_paths = {value}\n")
    ran(cases__deep__a_yaml=GOOD, other__a_yaml=BAD).assert_outcomes(passed=2)


MISSED = """
def test_boots(routesim_topology):
    assert routesim_topology("shop.yaml").publish("shop", "ship.boots").queues == {"audit"}

def test_too_few(routesim_topology):
    assert routesim_topology("shop.yaml").publish("shop", "ship.boots.eu").queues == {"audit", "warehouse"}

def test_run(routesim_run):
    assert routesim_run("bad.yaml").ok
"""


def test_a_failed_assertion_says_why(ran, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_shop=MISSED)
    result = ran(shop_yaml=SHOP, bad_yaml=BAD)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines([
        "*reached no queue, expected audit*", "*not audit: binding #.shoes: *'boots', not 'shoes'*", "*no binding of exchange 'shop' matched*",
        "*reached no queue, expected audit, warehouse*", "*not audit: binding #.shoes: *'eu', not 'shoes'*",
        "*<Outcome FAILED: *bad.yaml:2: queues.q.ready is 1 found 0 because nothing was published*",
    ])  # fmt: skip


def test_fixtures_in_five_lines(ran, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_shop=TEST)
    ran(shop_yaml=SHOP).assert_outcomes(passed=2)


def test_without_the_plugin_nothing_changes(ran, pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(): pass")
    ran("-p", "no:routesim", bad_scenario_yaml=BAD).assert_outcomes(passed=1)


def test_hostile_names(ran) -> None:
    name = '"\\e[31m[red]<script>]]>\\u202e\\n::error::%0A"'
    result = ran(
        "--junitxml",
        "out.xml",
        bad_scenario_yaml=f"name: {name}\nqueues: {{{name.replace(chr(92) + 'n', '')}: }}\nexpect: {{queues: {{{name.replace(chr(92) + 'n', '')}: {{ready: 1}}}}}}\n",
    )
    result.assert_outcomes(failed=1, passed=1)
    assert "\x1b[31m" not in result.stdout.str()
    assert "\u202e" not in result.stdout.str()
    assert not any(line.startswith("::") for line in result.stdout.lines)
