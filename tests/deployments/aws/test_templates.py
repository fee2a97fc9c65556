"""What the templates ask AWS for is closed, encrypted, bounded and kept."""

import json

import pytest

from tests.deployments.aws.templates import TEMPLATES, found, listed, only, statements

EVERYWHERE = {  # actions that AWS ties to no resource
    "ecr:GetAuthorizationToken",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
of_all = pytest.mark.parametrize("stack", TEMPLATES)


def test_every_stack_is_there() -> None:
    assert set(TEMPLATES) == {"serverless", "service", "loop", "monitoring", "machine", "network"}


@of_all
def test_no_role_may_do_everything_or_touch_everything(stack: str) -> None:
    for statement in statements(stack):
        actions = set(listed(statement["Action"]))
        wide = {each for each in actions if each.split(":")[-1] == "*"}
        assert not wide
        if "*" in listed(statement["Resource"]):
            assert actions <= EVERYWHERE


@of_all
def test_no_role_is_given_a_policy_that_aws_may_widen(stack: str) -> None:
    assert all("ManagedPolicyArns" not in role["Properties"] for role in found(stack, "IAM::Role"))


@of_all
def test_every_log_forgets_after_a_month(stack: str) -> None:
    logs = found(stack, "Logs::LogGroup")

    assert logs
    assert all(log["Properties"]["RetentionInDays"] == 30 for log in logs)


@of_all
def test_every_bucket_is_encrypted_closed_and_outlives_its_stack(stack: str) -> None:
    for bucket in found(stack, "S3::Bucket"):
        properties = bucket["Properties"]
        assert "BucketEncryption" in properties
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


@of_all
def test_the_internet_is_let_in_nowhere(stack: str) -> None:
    rules = [each["Properties"] for each in found(stack, "EC2::SecurityGroupIngress")]
    for group in found(stack, "EC2::SecurityGroup"):
        rules += group["Properties"].get("SecurityGroupIngress", [])

    assert all(rule.get("CidrIp") != "0.0.0.0/0" and "CidrIpv6" not in rule for rule in rules)


def test_the_database_is_private_encrypted_backed_up_and_hard_to_lose() -> None:
    (database,) = found("loop", "RDS::DBInstance")
    properties = database["Properties"]
    (rule,) = [
        rule["Properties"]
        for rule in found("loop", "EC2::SecurityGroupIngress")
        if rule["Properties"]["ToPort"] not in {4200, 5000, 5001}
    ]

    assert properties["PubliclyAccessible"] is False
    assert properties["StorageEncrypted"] is True
    assert properties["BackupRetentionPeriod"] == 14
    assert properties["DeletionProtection"] is True
    assert database["DeletionPolicy"] == database["UpdateReplacePolicy"] == "Snapshot"
    assert "resolve:secretsmanager" in json.dumps(properties["MasterUserPassword"])
    assert only("loop", "RDS::DBParameterGroup")["Parameters"] == {"rds.force_ssl": "1"}
    assert "SourceSecurityGroupId" in rule


def test_the_store_keeps_what_is_replaced() -> None:
    (store,) = [
        b for b in found("loop", "S3::Bucket") if "VersioningConfiguration" in b["Properties"]
    ]
    (rule,) = store["Properties"]["LifecycleConfiguration"]["Rules"]

    assert store["Properties"]["VersioningConfiguration"]["Status"] == "Enabled"
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    assert "ExpirationInDays" not in rule


def test_the_lambda_is_bounded_and_its_api_is_throttled_and_logs_no_body() -> None:
    function, stage = (
        only("serverless", "Lambda::Function"),
        only("serverless", "ApiGatewayV2::Stage"),
    )
    route = only("serverless", "ApiGatewayV2::Route")

    assert function["Handler"] == "bentos.lambda_handler.handler"
    assert (function["MemorySize"], function["ReservedConcurrentExecutions"]) == (512, 20)
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": 50,
        "ThrottlingBurstLimit": 100,
    }
    assert set(json.loads(stage["AccessLogSettings"]["Format"])) == {"id", "route", "status", "ms"}
    assert route["AuthorizationType"] == {"Fn::If": ["IsKeyed", "NONE", "AWS_IAM"]}


def test_the_lambda_is_given_its_secrets_by_reference() -> None:
    variables = dict(only("serverless", "Lambda::Function")["Environment"]["Variables"])
    store = {"Fn::Join": ["", ["s3://", {"Ref": "Store"}]]}  # no secret: a bucket's name

    assert variables.pop("DRIFTLINE_STORE_URL") == {
        "Fn::If": ["HasStore", store, {"Ref": "AWS::NoValue"}]
    }
    for value in variables.values():
        assert "{{resolve:secretsmanager:" in json.dumps(value)


def test_the_lambda_may_read_tables_of_joins_only_where_a_store_is_given() -> None:
    (policy,) = (
        each
        for each in found("serverless", "IAM::Policy")
        if each["Properties"]["PolicyName"] == "read-tables"
    )
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]

    assert policy["Condition"] == "HasStore"
    assert statement["Action"] == "s3:GetObject"
    assert json.dumps(statement["Resource"]).endswith('"/serving/lookups/*"]]}')


def test_a_new_version_may_be_tried_on_a_share_of_the_calls() -> None:
    (version,) = found("serverless", "Lambda::Version")
    condition, share, otherwise = only("serverless", "Lambda::Alias")["RoutingConfig"]["Fn::If"]

    assert version["DeletionPolicy"] == "Retain"
    assert condition == "HasStableVersion"
    (weight,) = share["AdditionalVersionWeights"]
    assert weight["FunctionWeight"] == {"Ref": "CanaryWeight"}
    assert otherwise == {"Ref": "AWS::NoValue"}


def test_people_are_told_of_errors_latency_and_throttles() -> None:
    alarms = [alarm["Properties"] for alarm in found("serverless", "CloudWatch::Alarm")]

    assert {alarm["MetricName"] for alarm in alarms} == {"Errors", "Throttles", "5xx", "Latency"}
    assert all("AlarmActions" in alarm for alarm in alarms)


def test_the_service_speaks_https_only_is_asked_how_it_is_and_goes_back() -> None:
    listener = only("service", "ElasticLoadBalancingV2::Listener")
    group = only("service", "ElasticLoadBalancingV2::TargetGroup")
    deployment = only("service", "ECS::Service")["DeploymentConfiguration"]

    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    assert (group["Port"], group["HealthCheckPath"]) == (3000, "/readyz")
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert deployment["Alarms"]["Rollback"] is True
    assert len(deployment["Alarms"]["AlarmNames"]) == 3
    assert only("service", "ApplicationAutoScaling::ScalableTarget")["MinCapacity"] == 2


@pytest.mark.parametrize("stack", ["service", "loop", "monitoring"])
def test_no_container_is_shown_a_secret_or_a_public_address(stack: str) -> None:
    for task in found(stack, "ECS::TaskDefinition"):
        for container in task["Properties"]["ContainerDefinitions"]:
            shown = {each["Name"] for each in container.get("Environment", [])}
            assert not shown & {
                "DRIFTLINE_DATABASE_URL",
                "DRIFTLINE_API_KEYS",
                "MLFLOW_TRACKING_URI",
                "METRICS_KEY",
            }
    for service in found(stack, "ECS::Service"):
        network = service["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "DISABLED"
