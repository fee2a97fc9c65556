"""The champion as a Lambda behind an HTTP API; the newest version answers by the alias `live`."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import (
    CfnCondition,
    CfnOutput,
    CfnParameter,
    Duration,
    Fn,
    RemovalPolicy,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from deployments.aws.choices import Choices
from deployments.aws.stacks.api import add_api, limits
from deployments.aws.stacks.common import (
    SETTINGS,
    accept,
    add_alarms,
    add_callers_key,
    add_log,
    ask_arn,
    ask_text,
    ask_topic,
    is_given,
    new_stack,
)

NO_VALUE = {"Ref": "AWS::NoValue"}
MEMORY_MB, TIMEOUT_SECONDS, AT_ONCE = 512, 15, 20
INTERFACE_ACTIONS = [
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
]


@dataclass(frozen=True)
class Given:
    """What is said when the stack is deployed."""

    bucket: Any
    settings: Any
    is_keyed: Any
    subnets: Any
    groups: Any
    is_inside: Any  # a network of one's own
    store: Any
    has_store: Any


def add_serverless(app: Any, choices: Choices) -> Any:
    """The stack."""
    stack = new_stack(app, "serverless", "the champion as a Lambda behind an HTTP API")
    given = _ask(stack)
    function = _add_function(stack, given, choices)
    alias = _add_alias(stack, function)
    authorization = Fn.condition_if(given.is_keyed.logical_id, "NONE", "AWS_IAM").to_string()
    api = add_api(stack, alias, authorization)
    add_alarms(stack, limits(function, api), ask_topic(stack))
    CfnOutput(stack, "Url", value=api.attr_api_endpoint)
    CfnOutput(stack, "Version", value=function.current_version.version)
    return stack


def _ask(stack: Any) -> Given:
    authorization = ask_text(
        stack,
        "Authorization",
        "iam: callers sign their requests (SigV4); key: they send the generated key as X-API-Key",
        default="iam",
        allowed_values=["iam", "key"],
    )
    is_keyed = Fn.condition_equals(authorization.value_as_string, "key")
    subnets = _ask_list(stack, "SubnetIds", "Private subnets that reach the database, or none")
    is_outside = Fn.condition_equals(Fn.join("", subnets), "")
    told = "<bucket>/<prefix> of the store whose tables of joins are looked into, or empty"
    store = ask_text(stack, "Store", told, default="")
    return Given(
        bucket=ask_text(stack, "ArchiveBucket", "Bucket that has the archive under its key"),
        settings=ask_arn(stack, "SettingsArn", "secretsmanager", SETTINGS),
        is_keyed=CfnCondition(stack, "IsKeyed", expression=is_keyed),
        subnets=subnets,
        groups=_ask_list(stack, "SecurityGroupIds", "Groups of the Lambda in these subnets"),
        is_inside=CfnCondition(stack, "IsInside", expression=Fn.condition_not(is_outside)),
        store=store,
        has_store=is_given(stack, store),
    )


def _ask_list(stack: Any, name: str, told: str) -> Any:
    kind = "CommaDelimitedList"
    return CfnParameter(stack, name, type=kind, default="", description=told).value_as_list


def _add_function(stack: Any, given: Given, choices: Choices) -> Any:
    log = add_log(stack, "FunctionLog")
    bucket = s3.Bucket.from_bucket_name(stack, "Archives", given.bucket.value_as_string)
    function = lambda_.Function(
        stack,
        "Predict",
        description="Answers with the champion",
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.X86_64,
        handler="bentos.lambda_handler.handler",
        code=lambda_.Code.from_bucket(bucket, choices.archive_key),
        memory_size=MEMORY_MB,
        timeout=Duration.seconds(TIMEOUT_SECONDS),
        reserved_concurrent_executions=AT_ONCE,
        role=_add_role(stack, log, given),
        log_group=log,
        environment=_environment(stack, given),
        current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
    )
    accept(function, {"AwsSolutions-L1": "the newest runtime that the archive is made for"})
    _put_inside(function, given)
    return function


def _put_inside(function: Any, given: Given) -> None:
    """Have it in the subnets that are given, if any are."""
    inside = {"SubnetIds": given.subnets, "SecurityGroupIds": given.groups}
    function.node.default_child.add_property_override(
        "VpcConfig", Fn.condition_if(given.is_inside.logical_id, inside, NO_VALUE)
    )
    for finding in ("F3031", "E1150"):
        accept(function, {f"CloudFormation-Validate::{finding}": "without subnets it is left out"})


def _environment(stack: Any, given: Given) -> dict[str, Any]:
    """Secrets are filled in by CloudFormation: the template and its parameters show none."""
    key = add_callers_key(stack)
    read = f"{{{{resolve:secretsmanager:{key.secret_arn}:SecretString}}}}"
    return {
        "DRIFTLINE_DATABASE_URL": _field(given, "DRIFTLINE_DATABASE_URL"),
        "DRIFTLINE_SIGNING_KEY": _field(given, "DRIFTLINE_SIGNING_KEY"),
        "DRIFTLINE_API_KEYS": Fn.condition_if(
            given.is_keyed.logical_id, read, NO_VALUE
        ).to_string(),
        "DRIFTLINE_STORE_URL": Fn.condition_if(
            given.has_store.logical_id, f"s3://{given.store.value_as_string}", NO_VALUE
        ).to_string(),
    }


def _field(given: Given, name: str) -> str:
    return f"{{{{resolve:secretsmanager:{given.settings.value_as_string}:SecretString:{name}}}}}"


def _add_role(stack: Any, log: Any, given: Given) -> Any:
    """It may write its own log, have interfaces in a network of one's own, and read tables."""
    write = iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]
    )
    role = iam.Role(
        stack,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"write-own-log": iam.PolicyDocument(statements=[write])},
    )
    interfaces = iam.PolicyStatement(actions=INTERFACE_ACTIONS, resources=["*"])
    inside = iam.CfnPolicy(
        stack,
        "Interfaces",
        policy_name="have-interfaces",
        roles=[role.role_name],
        policy_document=iam.PolicyDocument(statements=[interfaces]),
    )
    inside.cfn_options.condition = given.is_inside
    reason = "EC2 has no name for an interface before it is there"
    accept(inside, {"AwsSolutions-IAM5[Resource::*]": reason})
    _let_read_tables(stack, role, given)
    return role


def _let_read_tables(stack: Any, role: Any, given: Given) -> None:
    place = f"arn:{stack.partition}:s3:::{given.store.value_as_string}/serving/lookups"
    read = iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"{place}/*"])
    policy = iam.CfnPolicy(
        stack,
        "Tables",
        policy_name="read-tables",
        roles=[role.role_name],
        policy_document=iam.PolicyDocument(statements=[read]),
    )
    policy.cfn_options.condition = given.has_store
    found = "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::<Store>/serving/lookups/*]"
    accept(policy, {found: "each table is another object below this folder"})


def _add_alias(stack: Any, function: Any) -> Any:
    """All calls go to the newest version, or a share of them, and the others to a stable one."""
    told = "Number of the version that keeps most calls while the newest is on trial; or empty"
    stable = ask_text(stack, "StableVersion", told, default="", allowed_pattern="[0-9]*")
    weight = CfnParameter(
        stack,
        "CanaryWeight",
        type="Number",
        description="Share of the calls that the newest version then gets, from 0 to 1",
        default=0.1,
        min_value=0,
        max_value=1,
    ).value_as_number
    is_on_trial, newest = is_given(stack, stable), function.current_version.version
    chosen = Fn.condition_if(is_on_trial.logical_id, stable.value_as_string, newest)
    alias = lambda_.CfnAlias(
        stack,
        "Live",
        name="live",
        function_name=function.function_name,
        function_version=chosen.to_string(),
    )
    share = {"AdditionalVersionWeights": [{"FunctionVersion": newest, "FunctionWeight": weight}]}
    routing = Fn.condition_if(is_on_trial.logical_id, share, NO_VALUE)
    alias.add_property_override("RoutingConfig", routing)
    return alias
