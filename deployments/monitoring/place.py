"""Lays out a folder from which Prometheus and Alertmanager run: files, targets, and secrets.

`python -m deployments.monitoring.place FOLDER`, again after each change of the environment's
channels or keys. Secrets get files of their own, which their user alone can read.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bentos.settings import SettingError, api_keys
from deployments.monitoring.alert import LOOP, SERVICE, Limits, Pace
from deployments.monitoring.alertmanager import describe_alertmanager, read_channels
from deployments.monitoring.alerts import describe_alerts
from deployments.monitoring.prometheus import (
    ALERTMANAGERS,
    KEY_FILE,
    RULES,
    TARGETS,
    describe_prometheus,
    describe_rules,
)
from deployments.monitoring.texts import as_yaml
from driftline.errors import DriftlineError, SettingsError

PACE, LIMITS = Pace(), Limits()


def place(
    folder: Path,
    *,
    services: Mapping[str, str],
    loop: str,
    alertmanager: str,
    pace: Pace = PACE,
) -> None:
    """Write `prometheus/` and `alertmanager/` below a folder; addresses are `host:port`."""
    secrets = folder.absolute() / "alertmanager" / "secrets"
    channels = read_channels()
    files = {
        "prometheus/prometheus.yml": as_yaml(describe_prometheus(pace)),
        f"prometheus/{RULES}": as_yaml(describe_rules(describe_alerts(pace, LIMITS), pace)),
        f"prometheus/{KEY_FILE}": next(iter(api_keys()), ""),
        f"prometheus/{TARGETS[SERVICE]}": _targets(_of_problems(services)),
        f"prometheus/{TARGETS[LOOP]}": _targets([{"targets": [loop]}]),
        f"prometheus/{ALERTMANAGERS}": _targets([{"targets": [alertmanager]}]),
        "alertmanager/alertmanager.yml": as_yaml(
            describe_alertmanager(channels, pace, secrets=str(secrets))
        ),
    }
    files |= {f"alertmanager/secrets/{name}": text for name, text in channels.secrets.items()}
    for name, text in files.items():
        _write(folder / name, text)


def _of_problems(services: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"targets": [address], "labels": {"problem": problem}}
        for problem, address in services.items()
    ]


def _targets(groups: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps(list(groups), indent=2) + "\n"


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, readable for its user alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def read_services(text: str) -> dict[str, str]:
    """`problem=host:port`, several by commas."""
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    for problem, _, address in pairs:
        if not problem or not address.rpartition(":")[2].isdecimal():
            message = f"--services: got {text!r}, wanted problem=host:port, several by commas"
            raise SettingsError(message)
    return {problem.replace("-", "_"): address for problem, _, address in pairs}


def main() -> int:
    """Lay out the folder; exit 1 where a setting cannot be meant."""
    parser = argparse.ArgumentParser(description="Lay out Prometheus' and Alertmanager's files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--services", default="breast_cancer=127.0.0.1:3000")
    parser.add_argument("--loop", default="127.0.0.1:5001")
    parser.add_argument("--alertmanager", default="127.0.0.1:9093")
    given = parser.parse_args()
    try:
        services = read_services(given.services)
        place(given.folder, services=services, loop=given.loop, alertmanager=given.alertmanager)
    except (DriftlineError, SettingError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"error: {given.folder}: {error.strerror}; wanted a folder to write to\n")
        return 1
    sys.stdout.write(f"wrote {given.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
