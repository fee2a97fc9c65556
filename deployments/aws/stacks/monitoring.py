"""Managed Prometheus with the project's own rules, Grafana beside it, and who collects for them."""

from pathlib import Path
from typing import Any

import yaml
from aws_cdk import CfnOutput, Stack, aws_aps, aws_grafana
from aws_cdk import aws_iam as iam

from deployments.aws.stacks.collector import EVERY_SECONDS, add_collector
from deployments.aws.stacks.common import add_log, ask_arn, new_stack
from deployments.aws.stacks.network import Network

FOLDER = Path(__file__).resolve().parents[2] / "monitoring"
KEPT_DAYS = 150
LOOK = ["aps:QueryMetrics", "aps:GetSeries", "aps:GetLabels", "aps:GetMetricMetadata"]
ONE_LINE = 1_000_000  # no place of a parameter may be broken


def add_monitoring(app: Any, network: Network) -> Any:
    """The stack."""
    stack = new_stack(app, "monitoring", "managed Prometheus and Grafana, and their collector")
    told = "ARN of the topic that alerts tell, in this account: the output TopicArn of the loop"
    topic = ask_arn(stack, "TopicArn", "sns", told).value_as_string
    workspace = aws_aps.CfnWorkspace(
        stack,
        "Prometheus",
        alias=stack.stack_name,
        alert_manager_definition=as_text(wrap(describe_people(topic, stack.region))),
        logging_configuration={"logGroupArn": add_log(stack, "PrometheusLog").log_group_arn},
        workspace_configuration={"retentionPeriodInDays": KEPT_DAYS},
    )
    aws_aps.CfnRuleGroupsNamespace(
        stack, "Rules", name="driftline", workspace=workspace.attr_arn, data=as_text(read_rules())
    )
    grafana = _add_grafana(stack, workspace)
    add_collector(stack, network, workspace)
    CfnOutput(stack, "PrometheusUrl", value=workspace.attr_prometheus_endpoint)
    CfnOutput(stack, "GrafanaUrl", value=f"https://{grafana.attr_endpoint}")
    return stack


def _add_grafana(stack: Any, workspace: Any) -> Any:
    """People come in by IAM Identity Center, and see what is in this workspace alone."""
    whole = Stack.of(stack)
    ours = whole.format_arn(service="grafana", resource="/workspaces/*")
    trusted = {
        "StringEquals": {"aws:SourceAccount": whole.account},
        "StringLike": {"aws:SourceArn": ours},
    }
    look = iam.PolicyStatement(actions=LOOK, resources=[workspace.attr_arn])
    role = iam.Role(
        stack,
        "GrafanaRole",
        assumed_by=iam.ServicePrincipal("grafana.amazonaws.com", conditions=trusted),
        inline_policies={"look": iam.PolicyDocument(statements=[look])},
    )
    return aws_grafana.CfnWorkspace(
        stack,
        "Grafana",
        name=stack.stack_name,
        account_access_type="CURRENT_ACCOUNT",
        authentication_providers=["AWS_SSO"],
        permission_type="CUSTOMER_MANAGED",
        data_sources=["PROMETHEUS"],
        role_arn=role.role_arn,
    )


def read_rules() -> dict[str, Any]:
    """The project's rules, looked at as often as something comes in."""
    rules: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus/rules.yml").read_text("utf-8"))
    for group in rules["groups"]:
        group["interval"] = f"{EVERY_SECONDS}s"
    return rules


def describe_people(topic: str, region: str) -> dict[str, Any]:
    """The project's Alertmanager, which here may tell a topic only."""
    file = FOLDER / "alertmanager/alertmanager.yml"
    told: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    (receiver,) = told["receivers"]
    (sns,) = receiver["sns_configs"]
    sns = sns | {"topic_arn": topic, "sigv4": {"region": region}}
    return told | {"receivers": [{"name": receiver["name"], "sns_configs": [sns]}]}


def wrap(alertmanager: dict[str, Any]) -> dict[str, str]:
    """As the managed Prometheus wants it: a file in a file."""
    return {"alertmanager_config": as_text(alertmanager)}


def as_text(content: Any) -> str:
    """A file of YAML, whose long lines stay whole."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=ONE_LINE)
