"""The rules are valid, each alert comes and goes when it should, and a person learns what to do."""

import re
from pathlib import Path

import pytest
import yaml

from deployments.monitoring.alert import Limits, Pace
from deployments.monitoring.alerts import describe_alerts
from deployments.monitoring.prometheus import RULES, describe_rules
from tests.deployments.monitoring.tools import run
from tests.house.test_commands import parameters
from tests.support import ROOT

MONITORING = ROOT / "deployments" / "monitoring"
UNIT_TESTS = Path(__file__).with_name("rules_test.yml")
RUNBOOK = (MONITORING / "runbook.md").read_text("utf-8")
ALERTS = {alert.name: alert for alert in describe_alerts(Pace(), Limits())}
CONFIGS = ("prometheus/prometheus.yml", "prometheus/rules.yml")


def test_promtool_takes_the_configuration() -> None:
    done = run("promtool", "check", "config", "--syntax-only", CONFIGS[0], folder=MONITORING)

    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_rules() -> None:
    done = run("promtool", "check", "rules", "--lint-fatal", CONFIGS[1], folder=MONITORING)

    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_come_and_go_as_their_unit_tests_say() -> None:
    done = run("promtool", "test", "rules", str(UNIT_TESTS), folder=UNIT_TESTS.parent)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("change", ["never fires", "always fires"])
@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_that_is_wrong_fails_its_unit_test(name: str, change: str, tmp_path: Path) -> None:
    content = yaml.safe_load((MONITORING / "prometheus" / RULES).read_text("utf-8"))
    [rule] = [each for each in content["groups"][1]["rules"] if each.get("alert") == name]
    rule["expr"] = {"never fires": "vector(0) > 1", "always fires": "vector(1)"}[change]
    (tmp_path / RULES).write_text(yaml.safe_dump(content), "utf-8")
    tests = yaml.safe_load(UNIT_TESTS.read_text("utf-8")) | {"rule_files": [RULES]}
    tests["tests"] = [each for each in tests["tests"] if f'"{name}"' in yaml.safe_dump(each)]
    assert tests["tests"]
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(tests), "utf-8")

    done = run("promtool", "test", "rules", "tests.yml", folder=tmp_path)

    assert done.returncode != 0


def test_a_faster_pace_keeps_the_rules_and_shortens_their_times() -> None:
    slow, fast = Pace(), Pace(interval_seconds=1, window_seconds=5, hold=1 / 60)
    rules = [
        describe_rules(describe_alerts(pace, Limits()), pace)["groups"][1]["rules"]
        for pace in (slow, fast)
    ]

    for before, after in zip(*rules, strict=True):
        assert {**before, "for": "", "expr": ""} == {**after, "for": "", "expr": ""}
        assert before["expr"].replace("300", "5") == after["expr"]
        assert int(before["for"][:-1]) == 60 * int(after["for"][:-1])


# What to do


def test_every_alert_has_its_section_of_the_runbook_and_no_other() -> None:
    assert re.findall(r"^## (.*)$", RUNBOOK, re.MULTILINE) == list(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_a_section_says_what_it_means_where_to_look_and_what_to_do(name: str) -> None:
    section = RUNBOOK.partition(f"## {name}\n")[2].partition("\n## ")[0]

    assert re.findall(r"^\*\*(\w+):\*\* \S", section, re.MULTILINE) == ["Means", "Look", "Do"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_names_its_section(name: str) -> None:
    place, _, anchor = ALERTS[name].runbook.partition("#")

    assert (ROOT / place).read_text("utf-8") == RUNBOOK
    assert anchor == name.lower()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`python -m ([^`]*)`", RUNBOOK))))
def test_a_command_of_the_runbook_takes_its_options(command: str) -> None:
    module, *words = command.split()
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    options = {word.lstrip("-").replace("-", "_") for word in words if word.startswith("--")}

    assert path.exists()
    assert options <= parameters(path)


def test_the_runbook_names_only_metrics_that_there_are() -> None:
    code = "\n".join(
        path.read_text("utf-8")
        for package in ("bentos", "deployments")
        for path in (ROOT / package).rglob("*.py")
    )
    named = re.findall(r"\bdriftline_([a-z_]+)", RUNBOOK)

    assert named
    assert [name for name in named if name.removesuffix("_total") not in code] == []
