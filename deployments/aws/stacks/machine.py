"""The champion's image on one EC2 machine that nobody logs in to by SSH, for callers inside."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import (
    CfnCondition,
    CfnCreationPolicy,
    CfnOutput,
    CfnParameter,
    CfnResourceSignal,
    Fn,
)
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from deployments.aws.machine.boot import user_data
from deployments.aws.stacks.common import (
    SETTINGS,
    Limit,
    accept,
    add_alarms,
    add_callers_key,
    add_log,
    ask_arn,
    ask_text,
    ask_topic,
    each_minute,
    is_given,
    new_stack,
)
from deployments.aws.stacks.fargate import accept_pulling, let_pull

PORT = 3000
DISK_GB, DISK = 16, "/dev/xvda"
STARTED_WITHIN = "PT15M"
IMAGE = "[A-Za-z0-9][A-Za-z0-9./:@_-]+"
PRIVATE = r"(10|172\.(1[6-9]|2[0-9]|3[01])|192\.168)\.[0-9.]+/[0-9]+"
SYSTEM = "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-%s}}"
SESSIONS = [  # what Session Manager asks for
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
]


@dataclass(frozen=True)
class Given:
    """What is said when the stack is deployed."""

    image: Any
    vpc: Any
    subnet: Any
    callers: Any
    settings: Any
    store: Any
    has_store: Any
    clients: Any
    has_clients: Any


def add_machine(app: Any) -> Any:
    """The stack; it stands in a network that is there."""
    stack = new_stack(app, "machine", "the champion's image on one machine, for callers inside")
    given, log, key = _ask(stack), add_log(stack, "Log"), add_callers_key(stack)
    role = _add_role(stack, given, log, key)
    places = {
        "IMAGE": given.image.value_as_string,
        "REGION": stack.region,
        "LOG": log.log_group_name,
        "SETTINGS": given.settings.value_as_string,
        "KEY": key.secret_arn,
        "STORE": _if(given.has_store, f"s3://{given.store.value_as_string}", "").to_string(),
    }
    machine = _add_instance(stack, given, role, user_data(places))
    _heal(stack, machine)
    CfnOutput(stack, "Address", value=f"http://{machine.attr_private_ip}:{PORT}")
    return stack


def _ask(stack: Any) -> Given:
    told = "<bucket>/<prefix> of the store whose new champions a running service takes over"
    store = ask_text(stack, "Store", told, default="")
    told = "The output ClientsGroup of the network, where the database is the loop's"
    clients = ask_text(stack, "ClientsGroup", told, default="")
    told = "The champion's image, in a repository of yours named driftline..."
    return Given(
        image=ask_text(stack, "Image", told, allowed_pattern=IMAGE),
        vpc=CfnParameter(stack, "VpcId", type="AWS::EC2::VPC::Id"),
        subnet=CfnParameter(
            stack,
            "SubnetId",
            type="AWS::EC2::Subnet::Id",
            description="A private subnet with a way out, such as one of the network's",
        ),
        callers=ask_text(
            stack,
            "CallersCidr",
            "Who may call port 3000, by private addresses; others need TLS before it",
            allowed_pattern=PRIVATE,
            constraint_description="a range of private addresses, as in 10.0.0.0/16",
        ),
        settings=ask_arn(stack, "SettingsArn", "secretsmanager", SETTINGS),
        store=store,
        has_store=is_given(stack, store),
        clients=clients,
        has_clients=is_given(stack, clients),
    )


def _if(condition: Any, then: Any, otherwise: Any) -> Any:
    return Fn.condition_if(condition.logical_id, then, otherwise)


def _add_role(stack: Any, given: Given, log: Any, key: Any) -> Any:
    """It may pull our images, write its log, read its two secrets, and be talked to."""
    allowed = {
        "write-own-log": (["logs:CreateLogStream", "logs:PutLogEvents"], [log.log_group_arn]),
        "read-settings": (
            ["secretsmanager:GetSecretValue"],
            [given.settings.value_as_string, key.secret_arn],
        ),
        "have-sessions": (SESSIONS, ["*"]),
    }
    role = iam.Role(
        stack,
        "Role",
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        inline_policies={
            "pull-own-images": let_pull(stack),
            **{name: _allow(*what) for name, what in allowed.items()},
        },
    )
    accept_pulling(role)
    place = f"arn:{stack.partition}:s3:::{given.store.value_as_string}"
    champions = iam.CfnPolicy(
        stack,
        "Champions",
        policy_name="read-champions",
        roles=[role.role_name],
        policy_document=_allow(["s3:GetObject"], [f"{place}/serving/*", f"{place}/bentos/*"]),
    )
    champions.cfn_options.condition = given.has_store
    for folder in ("serving", "bentos"):
        found = f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::<Store>/{folder}/*]"
        accept(champions, {found: "each champion is another object below this folder"})
    return role


def _allow(actions: list[str], resources: list[str]) -> Any:
    return iam.PolicyDocument(
        statements=[iam.PolicyStatement(actions=actions, resources=resources)]
    )


def _add_instance(stack: Any, given: Given, role: Any, script: str) -> Any:
    """Its disk outlives it: predictions may wait there."""
    kind = ask_text(
        stack,
        "Architecture",
        "What the image was built for; arm64 is Graviton",
        default="x86_64",
        allowed_values=["x86_64", "arm64"],
    )
    told = "How large: small has 2 GB"
    size = ask_text(
        stack, "Size", told, default="small", allowed_values=["small", "medium", "large"]
    )
    is_arm = Fn.condition_equals(kind.value_as_string, "arm64")
    family = _if(CfnCondition(stack, "IsArm", expression=is_arm), "t4g", "t3")
    profile = iam.CfnInstanceProfile(stack, "Profile", roles=[role.role_name])
    access = _add_access(stack, given)
    machine = ec2.CfnInstance(
        stack,
        "Machine",
        image_id=SYSTEM % kind.value_as_string,
        instance_type=Fn.join(".", [family.to_string(), size.value_as_string]),
        subnet_id=given.subnet.value_as_string,
        iam_instance_profile=profile.ref,
        monitoring=True,
        metadata_options={"httpTokens": "required"},
        block_device_mappings=[
            {
                "deviceName": DISK,
                "ebs": {
                    "encrypted": True,
                    "volumeSize": DISK_GB,
                    "volumeType": "gp3",
                    "deleteOnTermination": False,
                },
            }
        ],
        user_data=Fn.base64(script),
    )
    hops = _if(given.has_store, 2, 1)  # a container that reads champions is one farther away
    machine.add_property_override("MetadataOptions.HttpPutResponseHopLimit", hops)
    machine.add_property_override(
        "SecurityGroupIds",
        _if(given.has_clients, [access, given.clients.value_as_string], [access]),
    )
    machine.cfn_options.creation_policy = CfnCreationPolicy(
        resource_signal=CfnResourceSignal(count=1, timeout=STARTED_WITHIN)
    )
    reasons = {
        "AwsSolutions-EC29": "it keeps nothing but its disk, which outlives it",
        "CloudFormation-Validate::F3017": "a group that is not given is left out",
    }
    for finding, reason in reasons.items():
        accept(machine, {finding: reason})
    return machine


def _add_access(stack: Any, given: Given) -> Any:
    access = ec2.CfnSecurityGroup(
        stack,
        "Access",
        vpc_id=given.vpc.value_as_string,
        group_description="Port 3000 of Driftline, and nothing else",
        security_group_ingress=[
            {
                "ipProtocol": "tcp",
                "fromPort": PORT,
                "toPort": PORT,
                "cidrIp": given.callers.value_as_string,
                "description": "Who may call",
            }
        ],
    )
    accept(access, {"AwsSolutions-EC23": "who may call is a parameter, of private addresses"})
    return access.attr_group_id


def _heal(stack: Any, machine: Any) -> None:
    """AWS moves it to other hardware, or boots it, and people are told."""
    topic = ask_topic(stack)
    cures = {"System": ("recover", 2), "Instance": ("reboot", 3)}
    for part, (cure, minutes) in cures.items():
        metric = cloudwatch.Metric(
            namespace="AWS/EC2",
            metric_name=f"StatusCheckFailed_{part}",
            dimensions_map={"InstanceId": machine.ref},
        )
        told = f"The machine fails AWS's check of its {part.lower()}: {cure}"
        limit = Limit(each_minute(metric, "Maximum"), 1, minutes, told)
        action = f"arn:{stack.partition}:automate:{stack.region}:ec2:{cure}"
        add_alarms(stack, {f"{part}Failing": limit}, [action, *topic])
