"""The topic by which people are told: of the loop's decisions, and of alarms."""

from typing import Any

from aws_cdk import Stack, aws_kms, aws_sns
from aws_cdk import aws_iam as iam

from deployments.aws.stacks.common import ask_text, is_given


def add_people(stack: Any) -> Any:
    """A topic that this account's alarms and the loop write to, and whom it tells."""
    key = aws_kms.Key(
        stack, "TopicKey", enable_key_rotation=True, description="What people are told"
    )
    topic = aws_sns.Topic(stack, "Topic", master_key=key, enforce_ssl=True)
    alarms = iam.ServicePrincipal(
        "cloudwatch.amazonaws.com",
        conditions={"StringEquals": {"aws:SourceAccount": Stack.of(stack).account}},
    )
    topic.grant_publish(alarms)
    key.grant_encrypt_decrypt(alarms)
    email = ask_text(stack, "Email", "Whom the topic tells by e-mail; empty for nobody", default="")
    told = aws_sns.CfnSubscription(
        stack,
        "ByEmail",
        topic_arn=topic.topic_arn,
        protocol="email",
        endpoint=email.value_as_string,
    )
    told.cfn_options.condition = is_given(stack, email)
    return topic
