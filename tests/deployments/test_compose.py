"""What starts together is named, waits for what it needs, and keeps its secrets and its ports."""

import importlib.util
import re
from typing import Any

import pytest
import yaml

from tests.deployments.compose import FILE, TEXT, VARIABLE, in_order, is_job, read
from tests.deployments.monitoring.tools import run
from tests.house.test_commands import parameters
from tests.support import ROOT

SECRETS = {"POSTGRES_PASSWORD": "Zq7-one", "GRAFANA_PASSWORD": "Zq7-two"}
SERVICES = read(SECRETS)
OURS = {name: each for name, each in SERVICES.items() if "build" in each}
DOCKERFILE = (ROOT / "deployments/image/project.Dockerfile").read_text("utf-8")
WANTED = {
    *("service", "page", "prefect", "worker", "mlflow", "postgres"),
    *("prometheus", "alertmanager", "grafana"),
}
of_all = pytest.mark.parametrize("name", SERVICES)
of_ours = pytest.mark.parametrize("name", OURS)


def test_everything_that_belongs_together_is_there() -> None:
    assert set(SERVICES) >= WANTED


@of_all
def test_every_port_is_this_machines_own(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@of_all
def test_what_stays_is_asked_how_it_is_and_what_ends_is_not_started_again(name: str) -> None:
    service = SERVICES[name]

    assert is_job(service) != bool(service.get("healthcheck"))
    assert service["restart"] in {"no", "unless-stopped"}


@of_all
def test_who_waits_waits_for_what_can_come(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        is_end = wanted["condition"] == "service_completed_successfully"
        assert is_end == is_job(SERVICES[other])
        assert is_end or wanted["condition"] == "service_healthy"


def test_nobody_waits_for_himself() -> None:
    assert sorted(in_order(SERVICES)) == sorted(SERVICES)


@of_all
def test_every_volume_is_there(name: str) -> None:
    named = yaml.safe_load(TEXT)["volumes"]
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert source in named or (FILE.parent / source).exists()


@of_all
def test_secrets_come_from_the_environment_alone(name: str) -> None:
    raw: dict[str, Any] = yaml.safe_load(TEXT)["services"][name].get("environment", {})
    for variable, value in raw.items():
        if re.search("PASSWORD|KEY|TOKEN|WEBHOOK", variable) or "@" in str(value):
            assert VARIABLE.search(str(value)), variable


@pytest.mark.parametrize("missing", SECRETS)
def test_without_a_password_nothing_starts(missing: str) -> None:
    given = {name: value for name, value in SECRETS.items() if name != missing}

    with pytest.raises(AssertionError, match=f"{missing} is wanted"):
        read(given)


@of_ours
def test_a_command_is_one_that_there_is(name: str) -> None:
    python, dash, module, *words = SERVICES[name]["command"]
    options = {word[2:].replace("-", "_") for word in words if word.startswith("--")}

    assert (python, dash) == ("python3", "-m")
    assert importlib.util.find_spec(module) is not None
    if module.startswith("deployments.monitoring"):
        assert options <= parameters(ROOT.joinpath(*module.split(".")).with_suffix(".py"))


def test_every_channel_of_the_environment_reaches_those_who_tell_people() -> None:
    code = "".join(
        (ROOT / place).read_text("utf-8")
        for place in ("tasks/people/channels.py", "deployments/monitoring/alertmanager.py")
    )
    channels = set(re.findall(r'"(DRIFTLINE_[A-Z_]+)"', code))

    for name in ("worker", "sweeper", "monitoring"):
        assert channels <= set(SERVICES[name]["environment"])


def test_the_image_is_made_of_what_is_there() -> None:
    copied = re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.MULTILINE)

    assert all((ROOT / each).exists() for line in copied for each in line.split())
    assert {"driftline", "bentos", "tasks", "flows", "deployments"} <= set(copied)
    for service in OURS.values():
        assert (FILE.parent / service["build"]["context"]).resolve() == ROOT
        assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_the_image_runs_as_nobody_of_importance() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    for name in ("prometheus", "alertmanager"):  # they read what the image's user has laid out
        assert SERVICES[name]["user"] == "10001:10001"


@pytest.mark.parametrize(
    ("name", "program"), [("prometheus", "promtool"), ("alertmanager", "amtool")]
)
def test_the_images_are_of_the_versions_that_the_tests_run(name: str, program: str) -> None:
    done = run(program, "--version", folder=ROOT)

    told = re.search(r"version ([0-9.]+)", done.stdout + done.stderr)
    assert told is not None
    assert SERVICES[name]["image"].endswith(f":v{told[1]}")


def test_the_image_installs_as_make_does() -> None:
    """By uv of one version: pip of Debian 12 refuses a lock that asks for a package's extra."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (version,) = re.findall(r"(?m)^UV_VERSION := (\S+)$", makefile)

    assert f"ARG UV_VERSION={version}\n" in DOCKERFILE
    assert "uv pip sync" in DOCKERFILE
    assert "--require-hashes requirements.lock" in DOCKERFILE
