"""The topic by which people are told: of the loop's decisions, of alarms and of alerts."""

from typing import Any

from aws_cdk import Stack, aws_kms, aws_sns
from aws_cdk import aws_iam as iam

from deployments.aws.stacks.common import ask_text, is_given

WRITERS = ("cloudwatch", "aps")  # alarms, and alerts of managed Prometheus


def add_people(stack: Any) -> Any:
    """A topic that the loop and this account's alarms and alerts write to, and whom it tells."""
    key = aws_kms.Key(
        stack, "TopicKey", enable_key_rotation=True, description="What people are told"
    )
    topic = aws_sns.Topic(stack, "Topic", master_key=key, enforce_ssl=True)
    of_account = {"StringEquals": {"aws:SourceAccount": Stack.of(stack).account}}
    for service in WRITERS:
        writer = iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=of_account)
        topic.grant_publish(writer)
        key.grant_encrypt_decrypt(writer)
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
