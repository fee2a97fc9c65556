"""The network that service and loop share: what is reached from outside stands apart from data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnOutput, Fn
from aws_cdk import aws_ec2 as ec2

from deployments.aws.stacks.common import add_log, new_stack

ZONES = 2


@dataclass(frozen=True)
class Network:
    """The network, and the group of those who may ask the database."""

    vpc: Any
    clients: Any

    def clients_in(self, stack: Any) -> Any:
        """The group as another stack knows it, which adds no rule to it."""
        group = self.clients.security_group_id
        return ec2.SecurityGroup.from_security_group_id(stack, "Clients", group, mutable=False)


def add_network(app: Any) -> Network:
    """Public subnets for the balancer, private ones for tasks, and closed ones for data."""
    stack = new_stack(app, "network", "the network of service and loop")
    vpc = ec2.Vpc(
        stack, "Vpc", max_azs=ZONES, nat_gateways=1, subnet_configuration=list(_subnets())
    )
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    destination = ec2.FlowLogDestination.to_cloud_watch_logs(add_log(stack, "FlowLog"))
    vpc.add_flow_log("Flows", destination=destination)
    told = "The programs of Driftline, which may ask the database"
    clients = ec2.SecurityGroup(stack, "Clients", vpc=vpc, description=told)
    subnets = [subnet.subnet_id for subnet in vpc.private_subnets]
    CfnOutput(stack, "TaskSubnets", value=Fn.join(",", subnets))
    CfnOutput(stack, "ClientsGroup", value=clients.security_group_id)
    return Network(vpc, clients)


def _subnets() -> Iterator[Any]:
    kinds = ec2.SubnetType
    yield ec2.SubnetConfiguration(
        name="public", subnet_type=kinds.PUBLIC, map_public_ip_on_launch=False
    )
    yield ec2.SubnetConfiguration(name="tasks", subnet_type=kinds.PRIVATE_WITH_EGRESS)
    yield ec2.SubnetConfiguration(name="data", subnet_type=kinds.PRIVATE_ISOLATED)
