"""Each cloud's manifests fit that cloud's own schema, which a lock beside this file brings."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bentos.http.door import HEALTH
from driftline.errors import PackagingError
from tasks.shipping.wheels import make_venv
from tests.support import ROOT, lacking

HERE = Path(__file__).parent / "schemas"
MANIFESTS = {
    "kubernetes": ROOT / "deployments" / "kubernetes" / "service.yaml",
    "google": ROOT / "deployments" / "clouds" / "google" / "service.yaml",
    "azure": ROOT / "deployments" / "clouds" / "azure" / "containerapp.yaml",
}
Check = Callable[[str, Path], str]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """What a schema finds wrong with a file."""
    try:
        python = make_venv(HERE / "requirements.lock", tmp_path_factory.mktemp("schemas") / "venv")
    except PackagingError as error:
        lacking(f"the schemas of the clouds ({error})")

    def run(kind: str, path: Path) -> str:
        words = [str(python), str(HERE / "check.py"), kind, str(path)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        assert not done.stderr
        return done.stdout if done.returncode else ""

    return run


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_fits_the_schema(check: Check, kind: str) -> None:
    assert check(kind, MANIFESTS[kind]) == ""


@pytest.mark.parametrize(
    ("kind", "old", "new", "told"),
    [
        ("kubernetes", "containerPort: 3000", "containerPort: http", "containerPort"),
        ("kubernetes", "periodSeconds: 5", "periodSecond: 5", "periodSecond"),
        ("google", "containerConcurrency: 80", "containerConcurency: 80", "containerConcurency"),
        ("google", "timeoutSeconds: 60", "timeoutSeconds: a minute", "timeoutSeconds"),
        ("google", "timeoutSeconds: 60", "enableServiceLinks: true", "enableServiceLinks"),
        ("azure", "targetPort: 3000", "port: 3000", "port is not known"),
        ("azure", "cpu: 0.5", "cpu: 500m", "cpu"),
        ("azure", "activeRevisionsMode: Single", "activeRevisionsMode: One", "One"),
        ("azure", "location: LOCATION", "tags: {}", "location is missing"),
    ],
)
def test_a_manifest_that_is_wrong_is_found(
    check: Check, tmp_path: Path, kind: str, old: str, new: str, told: str
) -> None:
    text = MANIFESTS[kind].read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text.replace(old, new), encoding="utf-8")

    assert old in text
    assert told in check(kind, wrong)


def containers() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The container of each cloud's manifest, and the probes of it by path."""
    run = yaml.safe_load(MANIFESTS["google"].read_text(encoding="utf-8"))
    (first,) = run["spec"]["template"]["spec"]["containers"]
    app = yaml.safe_load(MANIFESTS["azure"].read_text(encoding="utf-8"))
    (second,) = app["properties"]["template"]["containers"]
    probes = {name: value for name, value in first.items() if name.endswith("Probe")}
    return {
        "google": (first, probes),
        "azure": (second, {probe["type"]: probe for probe in second["probes"]}),
    }


@pytest.mark.parametrize("cloud", ["google", "azure"])
def test_a_container_is_probed_without_a_key_and_told_its_secrets_by_name(cloud: str) -> None:
    container, probes = containers()[cloud]

    asked = {probe["httpGet"]["path"] for probe in probes.values()}
    assert asked == {"/readyz", "/livez"}
    assert asked <= set(HEALTH)
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {3000}
    assert container["image"] == "IMAGE"
    assert [one["name"] for one in container["env"]] == [
        "DRIFTLINE_API_KEYS",
        "DRIFTLINE_DATABASE_URL",
    ]
    assert not any("value" in one for one in container["env"])
