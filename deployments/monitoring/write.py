"""Writes the files of Prometheus, Alertmanager and Grafana from their one description.

`python -m deployments.monitoring.write` (`make monitoring`) after each change of the description;
with `--check` it writes nothing, and exits 1 where a file says something else.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deployments.monitoring.alert import Limits, Pace
from deployments.monitoring.alertmanager import Channels, Hook, describe_alertmanager
from deployments.monitoring.alerts import describe_alerts
from deployments.monitoring.boards import BOARDS
from deployments.monitoring.boards.panels import draw_board
from deployments.monitoring.grafana import (
    describe_grafana_rules,
    describe_provider,
    describe_sources,
)
from deployments.monitoring.prometheus import describe_prometheus, describe_rules
from deployments.monitoring.texts import as_json, as_yaml
from tasks.people.channels import Mail, Topic, Webhook

FOLDER = Path(__file__).resolve().parent
PROVISIONING = "grafana/provisioning"
MAIL = Mail("mail.example.org", 587, "driftline@example.org", "people@example.org", "driftline")
EVERY_CHANNEL = Channels(  # `deployments.monitoring.place` writes those that the environment sets
    slack=Webhook(""),
    hook=Hook("https://alerts.example.org/driftline", token="set"),  # noqa: S106 - none is written
    mail=MAIL,
    topic=Topic("arn:aws:sns:eu-central-1:123456789012:driftline"),
)


def render() -> dict[str, str]:
    """Every file by its place below this folder."""
    pace, limits = Pace(), Limits()
    alerts = describe_alerts(pace, limits)
    told = describe_alertmanager(EVERY_CHANNEL, pace, secrets="/etc/alertmanager/secrets")
    return {
        "prometheus/prometheus.yml": as_yaml(describe_prometheus(pace)),
        "prometheus/rules.yml": as_yaml(describe_rules(alerts, pace)),
        "alertmanager/alertmanager.yml": as_yaml(told),
        f"{PROVISIONING}/datasources/driftline.yml": as_yaml(describe_sources()),
        f"{PROVISIONING}/dashboards/driftline.yml": as_yaml(describe_provider()),
        f"{PROVISIONING}/alerting/driftline.yml": as_yaml(describe_grafana_rules(alerts, pace)),
        **{
            f"grafana/dashboards/{board.uid}.json": as_json(draw_board(board), JSONEncoder)
            for board in BOARDS
        },
    }


def find_stale(folder: Path, files: Mapping[str, str]) -> list[str]:
    """The files that are not there, or say something else."""
    return [
        name
        for name, text in files.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description="Write the files of the monitoring.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if it is stale")
    files = render()
    if parser.parse_args().check:
        stale = find_stale(FOLDER, files)
        for name in stale:
            told = f"deployments/monitoring/{name}: stale; wanted what `make monitoring` writes"
            sys.stderr.write(f"error: {told}\n")
        return 1 if stale else 0
    for name, text in files.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
