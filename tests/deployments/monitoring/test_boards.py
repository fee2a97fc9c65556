"""The dashboards and rules are such as Grafana's own library reads, and ask for what there is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.alerting import Rule
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families

from bentos.http.exposition import expose_process
from bentos.http.metrics import Gauge, Ledger
from bentos.predictor import load_predictor
from deployments.exporter.families import MEANINGS, PREFIX
from deployments.monitoring.alert import Limits, Pace
from deployments.monitoring.alerts import describe_alerts
from deployments.monitoring.boards import BOARDS
from deployments.monitoring.boards.panels import Board
from deployments.monitoring.prometheus import recordings
from deployments.monitoring.write import FOLDER, PROVISIONING
from tests.bentos.models import write_tiny_model
from tests.deployments.monitoring.queries import expressions
from tests.deployments.monitoring.tools import run

of_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
ALERTS = describe_alerts(Pace(), Limits())
OF_SERVICE = (
    *("spool_bytes", "spool_age_seconds", "spool_set_aside_lines"),
    *("part_up", "takeover_failed_attempts"),
)


def written(board: Board) -> Any:
    return json.loads((FOLDER / f"grafana/dashboards/{board.uid}.json").read_text("utf-8"))


@of_board
def test_grafanas_library_reads_the_dashboard_as_it_is_written(board: Board) -> None:
    document = written(board)

    read = json.loads(json.dumps(Dashboard.from_json(document), cls=JSONEncoder))

    assert read == document


@of_board
def test_every_panel_has_a_place_and_a_name_of_its_own(board: Board) -> None:
    panels = written(board)["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    for name in ("id", "title"):
        assert len({panel[name] for panel in panels}) == len(panels)
    assert all(panel.get("description") for panel in panels if panel["type"] != "row")


def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    filled = [
        expr.replace("$problem", ".*").replace("$__rate_interval", "1m")
        for board in BOARDS
        for expr in expressions(board)
    ]
    rules = [{"record": f"query:{place}", "expr": expr} for place, expr in enumerate(filled)]
    groups = {"groups": [{"name": "queries", "rules": rules}]}
    (tmp_path / "queries.yml").write_text(yaml.safe_dump(groups), "utf-8")

    done = run("promtool", "check", "rules", "queries.yml", folder=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(filled)} rules found" in done.stdout


def test_queries_and_alerts_ask_for_metrics_that_there_are(tmp_path: Path) -> None:
    contract = load_predictor(write_tiny_model(tmp_path)).contract
    shown = Ledger(contract).expose([Gauge(name, "", {}, 0) for name in OF_SERVICE])
    names = {
        sample
        for family in text_string_to_metric_families(shown + expose_process())
        for sample in (family.name, *(each.name for each in family.samples), f"{family.name}_total")
    }
    there = names | {f"{PREFIX}{name}" for name in MEANINGS} | set(recordings(Pace()))
    asked = [expr for board in BOARDS for expr in expressions(board)]
    asked += [alert.expr for alert in ALERTS] + list(recordings(Pace()).values())
    named = set(re.findall(r"\b(?:driftline|process)[_:][a-z_0-9:]+", "\n".join(asked)))

    assert named
    assert named <= there


def test_grafanas_rules_are_the_alerts_of_prometheus() -> None:
    text = (FOLDER / PROVISIONING / "alerting/driftline.yml").read_text("utf-8")
    [group] = yaml.safe_load(text)["groups"]

    assert [rule["title"] for rule in group["rules"]] == [alert.name for alert in ALERTS]
    for rule, alert in zip(group["rules"], ALERTS, strict=True):
        query, condition = rule["data"]
        assert query["model"]["expr"] == f"group without () ({alert.expr})"
        assert condition["refId"] == rule["condition"]
        assert condition["model"]["expression"] == query["refId"]
        assert rule["annotations"]["runbook_url"] == alert.runbook
        read = json.loads(json.dumps(Rule.from_json(rule), cls=JSONEncoder))
        assert {**read, **rule} == read


def test_the_dashboards_are_where_their_provider_looks() -> None:
    text = (FOLDER / PROVISIONING / "dashboards/driftline.yml").read_text("utf-8")
    [provider] = yaml.safe_load(text)["providers"]

    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    assert {board.uid for board in BOARDS} == {
        path.stem for path in (FOLDER / "grafana/dashboards").glob("*.json")
    }
