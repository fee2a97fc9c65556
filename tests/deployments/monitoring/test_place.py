"""A folder is laid out from which Prometheus and Alertmanager run, and no secret is in the open."""

import json
import stat
from pathlib import Path

import pytest
import yaml

from deployments.monitoring import place
from tests.deployments.monitoring.tools import run

TOKEN, PASSWORD, KEY = "token-Zq7Zq7", "password-Zq7Zq7", "key-Zq7Zq7"
HOOK = "https://hooks.example.org/T000/Zq7Zq7"
CHANNELS = {
    "DRIFTLINE_NOTIFY_WEBHOOK": HOOK,
    "DRIFTLINE_ALERT_WEBHOOK": "http://127.0.0.1:9/alerts",
    "DRIFTLINE_ALERT_WEBHOOK_TOKEN": TOKEN,
    "DRIFTLINE_NOTIFY_EMAIL": "a@example.org, b@example.org",
    "DRIFTLINE_SMTP": "mail.example.org:587",
    "DRIFTLINE_SMTP_USER": "driftline",
    "DRIFTLINE_SMTP_PASSWORD": PASSWORD,
    "DRIFTLINE_NOTIFY_SNS_TOPIC": "arn:aws:sns:eu-central-1:123456789012:driftline",
    "DRIFTLINE_API_KEYS": f"{KEY},another",
}


def main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["place", *words])
    return place.main()


@pytest.fixture
def placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with every channel set."""
    for name, value in CHANNELS.items():
        monkeypatch.setenv(name, value)
    assert main(monkeypatch, str(tmp_path), "--services", "a=one:3000,b-c=two:3000") == 0
    return tmp_path


def test_prometheus_and_alertmanager_take_the_folder(placed: Path) -> None:
    for words in (
        ("promtool", "check", "config", "prometheus/prometheus.yml"),
        ("amtool", "check-config", "alertmanager/alertmanager.yml"),
    ):
        done = run(*words, folder=placed)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_is_scraped_under_its_problem(placed: Path) -> None:
    targets = json.loads((placed / "prometheus/targets/service.json").read_text())

    assert targets == [
        {"targets": ["one:3000"], "labels": {"problem": "a"}},
        {"targets": ["two:3000"], "labels": {"problem": "b_c"}},
    ]


def test_a_secret_stands_in_a_file_of_its_own_alone(placed: Path) -> None:
    holders = {
        secret: [
            str(path.relative_to(placed))
            for path in placed.rglob("*")
            if path.is_file() and secret in path.read_text()
        ]
        for secret in (HOOK, TOKEN, PASSWORD, KEY)
    }

    assert holders == {
        HOOK: ["alertmanager/secrets/slack_url"],
        TOKEN: ["alertmanager/secrets/webhook_token"],
        PASSWORD: ["alertmanager/secrets/smtp_password"],
        KEY: ["prometheus/secrets/metrics_key"],
    }
    for path in placed.rglob("*"):
        wanted = 0o600 if path.is_file() else 0o700
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_only_channels_that_are_set_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CHANNELS:
        monkeypatch.delenv(name, raising=False)
    place.place(tmp_path, services={}, loop="a:1", alertmanager="b:2")

    content = yaml.safe_load((tmp_path / "alertmanager/alertmanager.yml").read_text())

    assert content["receivers"] == [{"name": "people"}]
    assert run("amtool", "check-config", "alertmanager/alertmanager.yml", folder=tmp_path)


def test_a_login_goes_over_tls_only(placed: Path) -> None:
    content = yaml.safe_load((placed / "alertmanager/alertmanager.yml").read_text())

    [mail] = content["receivers"][0]["email_configs"]
    assert mail["require_tls"] is True
    assert mail["auth_username"] == "driftline"


@pytest.mark.parametrize(
    "url", ["ftp://example.org/x", f"https://user:{TOKEN}@example.org", f"https://e.org/?t={TOKEN}"]
)
def test_a_webhook_with_a_secret_in_its_url_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_ALERT_WEBHOOK", url)

    assert main(monkeypatch, str(tmp_path)) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: DRIFTLINE_ALERT_WEBHOOK: got something else, wanted an http://")
    assert TOKEN not in told


@pytest.mark.parametrize("services", ["a", "a=b", "=b:1", "a=b:c"])
def test_a_service_without_an_address_is_refused(
    services: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(monkeypatch, str(tmp_path), "--services", services) == 1
    assert capsys.readouterr().err == (
        f"error: --services: got {services!r}, wanted problem=host:port, several by commas\n"
    )


def test_a_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    assert main(monkeypatch, str(tmp_path / "file")) == 1
    told = capsys.readouterr().err
    assert told.endswith("file: Not a directory; wanted a folder to write to\n")
