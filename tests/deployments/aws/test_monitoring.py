"""The managed Prometheus has the project's own rules, and is written to by its collector alone."""

import json
from pathlib import Path
from typing import Any

import yaml

from deployments.monitoring.alert import Limits, Pace
from deployments.monitoring.alerts import describe_alerts
from deployments.monitoring.prometheus import describe_prometheus, describe_rules
from tests.deployments.aws.templates import TEMPLATES, filled, found, only, statements
from tests.deployments.monitoring.tools import run

GIVEN = {
    "TopicArn": "arn:aws:sns:eu-central-1:123456789012:people",
    "AWS::Region": "eu-central-1",
    "Problem": "diabetes",
    "Prometheus.PrometheusEndpoint": "https://prometheus.example.org/workspaces/ws-1/",
}
WORKSPACE = {"Fn::GetAtt": ["Prometheus", "Arn"]}


def test_the_rules_are_those_of_the_project_at_the_pace_of_the_collector(tmp_path: Path) -> None:
    text = filled(only("monitoring", "APS::RuleGroupsNamespace")["Data"], GIVEN)
    (tmp_path / "rules.yml").write_text(text, encoding="utf-8")

    done = run("promtool", "check", "rules", "--lint-fatal", "rules.yml", folder=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    pace = Pace(interval_seconds=30)
    assert yaml.safe_load(text) == describe_rules(describe_alerts(pace, Limits()), pace)


def test_alerts_are_told_to_the_topic_and_nobody_else(tmp_path: Path) -> None:
    text = filled(only("monitoring", "APS::Workspace")["AlertManagerDefinition"], GIVEN)
    inner = yaml.safe_load(text)["alertmanager_config"]
    (tmp_path / "alertmanager.yml").write_text(inner, encoding="utf-8")

    done = run("amtool", "check-config", "alertmanager.yml", folder=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    (receiver,) = yaml.safe_load(inner)["receivers"]
    assert set(receiver) == {"name", "sns_configs"}
    (sns,) = receiver["sns_configs"]
    assert sns["topic_arn"] == GIVEN["TopicArn"]
    assert sns["sigv4"] == {"region": "eu-central-1"}
    assert "runbook_url" in sns["message"]


def test_the_topic_takes_alerts_and_alarms_of_this_account_alone() -> None:
    documents = [
        only("loop", "SNS::TopicPolicy")["PolicyDocument"],
        only("loop", "KMS::Key")["KeyPolicy"],
    ]

    for document in documents:
        told = [each for each in document["Statement"] if "Service" in each["Principal"]]
        services = {each["Principal"]["Service"] for each in told}
        assert services == {"aps.amazonaws.com", "cloudwatch.amazonaws.com"}
        account = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert all(each["Condition"] == {"StringEquals": account} for each in told)


def test_the_collector_scrapes_the_same_jobs_with_the_services_key(tmp_path: Path) -> None:
    config = _config()
    (tmp_path / "agent.yml").write_text(json.dumps(config), encoding="utf-8")

    done = run(
        "promtool", "check", "config", "--agent", "--syntax-only", "agent.yml", folder=tmp_path
    )

    assert done.returncode == 0, done.stdout + done.stderr
    service, loop = config["scrape_configs"]
    elsewhere = [job["job_name"] for job in describe_prometheus(Pace())["scrape_configs"]]
    assert [service["job_name"], loop["job_name"]] == elsewhere
    assert service["authorization"] == {"credentials_file": "/prometheus/key"}
    assert service["relabel_configs"] == [{"target_label": "problem", "replacement": "diabetes"}]
    (write,) = config["remote_write"]
    assert write == {
        "url": "https://prometheus.example.org/workspaces/ws-1/api/v1/remote_write",
        "sigv4": {"region": "eu-central-1"},
    }


def test_what_is_scraped_has_its_name_and_lets_the_collector_in() -> None:
    service, loop = _config()["scrape_configs"]

    for job, stack, port in ((service, "service", 3000), (loop, "loop", 5001)):
        (place,) = job["dns_sd_configs"]
        assert place["port"] == port
        named = [each["Properties"] for each in found(stack, "ServiceDiscovery::Service")]
        names = {f"{each['Name']}.driftline.internal" for each in named}
        assert set(place["names"]) <= names
        rules = [each["Properties"] for each in found(stack, "EC2::SecurityGroupIngress")]
        ports = {rule["ToPort"] for rule in rules if "Watchers" in json.dumps(rule)}
        assert ports == {port}
    assert only("network", "ServiceDiscovery::PrivateDnsNamespace")["Name"] == "driftline.internal"


def test_the_collector_may_write_and_grafana_may_look_and_neither_more() -> None:
    about = [each for each in statements("monitoring") if "aps:" in json.dumps(each["Action"])]

    assert [each["Resource"] for each in about] == [WORKSPACE, WORKSPACE]
    writing, looking = sorted((each["Action"] for each in about), key=len, reverse=True)
    assert writing == "aps:RemoteWrite"
    assert set(looking) == {
        "aps:QueryMetrics",
        "aps:GetSeries",
        "aps:GetLabels",
        "aps:GetMetricMetadata",
    }


def test_people_come_to_grafana_by_identity_center_and_metrics_are_kept() -> None:
    grafana = only("monitoring", "Grafana::Workspace")
    role = TEMPLATES["monitoring"][grafana["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    kept = only("monitoring", "APS::Workspace")["WorkspaceConfiguration"]

    assert grafana["AuthenticationProviders"] == ["AWS_SSO"]
    assert grafana["PermissionType"] == "CUSTOMER_MANAGED"
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert kept == {"RetentionPeriodInDays": 150}


def _config() -> dict[str, Any]:
    (container,) = only("monitoring", "ECS::TaskDefinition")["ContainerDefinitions"]
    (shown,) = container["Environment"]
    config: dict[str, Any] = json.loads(filled(shown["Value"], GIVEN))
    return config
