"""The network that the stacks share: what is reached from outside stands apart from data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnOutput, Duration, Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as discovery

from deployments.aws.stacks.common import add_log, new_stack

ZONES = 2
DOMAIN = "driftline.internal"  # by which programs find each other
NAMES_LAST_SECONDS = 15


@dataclass(frozen=True)
class Network:
    """The network, its names, and the groups of who may ask the database, and who for metrics."""

    vpc: Any
    names: Any
    clients: Any
    watchers: Any

    def clients_in(self, stack: Any) -> Any:
        """The group as another stack knows it, which adds no rule to it."""
        return _known_in(stack, "Clients", self.clients)

    def watchers_in(self, stack: Any) -> Any:
        """The same for those who collect metrics."""
        return _known_in(stack, "Watchers", self.watchers)

    def named(self, name: str) -> Any:
        """A name within the network, for the tasks of a service that run."""
        lasting = Duration.seconds(NAMES_LAST_SECONDS)
        return ecs.CloudMapOptions(name=name, cloud_map_namespace=self.names, dns_ttl=lasting)


def add_network(app: Any) -> Network:
    """Public subnets for the balancer, private ones for tasks, and closed ones for data."""
    stack = new_stack(app, "network", "the network of the other stacks")
    vpc = ec2.Vpc(
        stack, "Vpc", max_azs=ZONES, nat_gateways=1, subnet_configuration=list(_subnets())
    )
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    destination = ec2.FlowLogDestination.to_cloud_watch_logs(add_log(stack, "FlowLog"))
    vpc.add_flow_log("Flows", destination=destination)
    names = discovery.PrivateDnsNamespace(stack, "Names", name=DOMAIN, vpc=vpc)
    told = "The programs of Driftline, which may ask the database"
    clients = ec2.SecurityGroup(stack, "Clients", vpc=vpc, description=told)
    told = "The collector, which may ask for metrics"
    watchers = ec2.SecurityGroup(stack, "Watchers", vpc=vpc, description=told)
    subnets = [subnet.subnet_id for subnet in vpc.private_subnets]
    CfnOutput(stack, "VpcId", value=vpc.vpc_id)
    CfnOutput(stack, "TaskSubnets", value=Fn.join(",", subnets))
    CfnOutput(stack, "ClientsGroup", value=clients.security_group_id)
    return Network(vpc, names, clients, watchers)


def _known_in(stack: Any, name: str, group: Any) -> Any:
    return ec2.SecurityGroup.from_security_group_id(
        stack, name, group.security_group_id, mutable=False
    )


def _subnets() -> Iterator[Any]:
    kinds = ec2.SubnetType
    yield ec2.SubnetConfiguration(
        name="public", subnet_type=kinds.PUBLIC, map_public_ip_on_launch=False
    )
    yield ec2.SubnetConfiguration(name="tasks", subnet_type=kinds.PRIVATE_WITH_EGRESS)
    yield ec2.SubnetConfiguration(name="data", subnet_type=kinds.PRIVATE_ISOLATED)
