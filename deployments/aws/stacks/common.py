"""What every stack has: its frame, parameters, logs, alarms, and reasons for what cdk-nag finds."""

import string
from dataclasses import dataclass
from typing import Any

from aws_cdk import (
    Acknowledgment,
    BootstraplessSynthesizer,
    CfnCondition,
    CfnOutput,
    CfnParameter,
    Duration,
    Fn,
    RemovalPolicy,
    Stack,
    Validations,
    aws_logs,
)
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_secretsmanager as secretsmanager

LOG_DAYS = 30
ARN = "arn:[a-z-]+:{service}:[a-z0-9-]+:[0-9]+:.+"
SETTINGS = (
    "ARN of the secret whose JSON has the fields DRIFTLINE_DATABASE_URL and DRIFTLINE_SIGNING_KEY "
    '("" for none): the output SettingsArn of the loop, or one of yours'
)


@dataclass(frozen=True)
class Limit:
    """When an alarm goes off: a statistic that reaches a bound for so many minutes on end."""

    metric: Any
    at_least: float
    minutes: int
    told: str


def new_stack(app: Any, name: str, description: str) -> Any:
    """An empty stack, whose template needs neither `cdk bootstrap` nor an account at hand."""
    return Stack(
        app,
        f"driftline-{name}",
        description=f"Driftline: {description}",
        synthesizer=BootstraplessSynthesizer(),
    )


def ask_text(stack: Any, name: str, description: str, **rest: Any) -> Any:
    """A parameter that is text; without a default it has to be given."""
    return CfnParameter(stack, name, type="String", description=description, **rest)


def ask_arn(stack: Any, name: str, service: str, description: str) -> Any:
    """A parameter that has to name something of a service."""
    pattern = ARN.format(service=service)
    wanted = f"an ARN of {service}"
    return ask_text(
        stack, name, description, allowed_pattern=pattern, constraint_description=wanted
    )


def is_given(stack: Any, parameter: Any) -> Any:
    """The condition that an optional parameter is not empty."""
    expression = Fn.condition_not(Fn.condition_equals(parameter.value_as_string, ""))
    return CfnCondition(stack, f"Has{parameter.node.id}", expression=expression)


def add_log(stack: Any, name: str) -> Any:
    """A log group that forgets after a month, and outlives its stack."""
    return aws_logs.LogGroup(stack, name, retention=aws_logs.RetentionDays.ONE_MONTH)


def ask_topic(stack: Any) -> list[Any]:
    """The optional topic that alarms tell, as their actions."""
    topic = ask_text(stack, "AlarmTopic", "ARN of the SNS topic that alarms tell", default="")
    given, none = is_given(stack, topic).logical_id, {"Ref": "AWS::NoValue"}
    return [Fn.condition_if(given, topic.value_as_string, none)]


def add_alarms(stack: Any, limits: dict[str, Limit], actions: list[Any]) -> list[Any]:
    """An alarm for each limit; where nothing comes in, nothing is wrong."""
    return [_add_alarm(stack, name, limit, actions) for name, limit in limits.items()]


def _add_alarm(stack: Any, name: str, limit: Limit, actions: list[Any]) -> Any:
    alarm = cloudwatch.Alarm(
        stack,
        name,
        metric=limit.metric,
        threshold=limit.at_least,
        evaluation_periods=limit.minutes,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=limit.told,
    )
    alarm.node.default_child.add_property_override("AlarmActions", actions)
    accept(alarm, {"CloudFormation-Validate::F3033": "without a topic there are no actions"})
    return alarm


def each_minute(metric: Any, statistic: str) -> Any:
    """A metric by the minute."""
    return metric.with_(period=Duration.minutes(1), statistic=statistic)


def add_callers_key(stack: Any) -> Any:
    """A key that callers send in X-API-Key; it is made where it is deployed, and shown nowhere."""
    description = "The key that callers send in X-API-Key"
    reason = "callers hold this key: who changes it has to tell them first"
    key = make_secret(stack, "Key", description, length=40, is_not_rotated=reason)
    CfnOutput(stack, "KeySecret", value=key.secret_arn)
    return key


def make_secret(
    stack: Any, name: str, description: str, *, length: int, is_not_rotated: str
) -> Any:
    """Letters and digits, made where it is deployed; `is_not_rotated` says why it stays."""
    secret = secretsmanager.Secret(
        stack,
        name,
        description=description,
        removal_policy=RemovalPolicy.RETAIN,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            exclude_characters=string.punctuation, password_length=length
        ),
    )
    accept(secret, {"AwsSolutions-SMG4": is_not_rotated})
    return secret


def accept(construct: Any, reasons: dict[str, str]) -> None:
    """Say why findings are no faults here; each has to be said on its own."""
    given = [Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items()]
    Validations.of(construct).acknowledge(*given)
