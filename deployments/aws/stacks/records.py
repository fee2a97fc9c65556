"""What the loop keeps: a PostgreSQL that nobody reaches from outside, and a store."""

import string
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack, aws_rds, aws_s3
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from deployments.aws.stacks.common import Limit, accept, add_alarms, each_minute, make_secret
from deployments.aws.stacks.network import Network

PORT, USER, DATABASE = 5432, "driftline", "driftline"
BACKUP_DAYS, OLD_VERSION_DAYS, LOG_LIFE_DAYS = 14, 90, 90
STORAGE_GB, MOST_STORAGE_GB, LEAST_FREE_BYTES = 20, 200, 2e9
BUSY_PERCENT = 90
TLS = {"rds.force_ssl": "1"}
DATABASE_REASONS = {
    "AwsSolutions-RDS3": "a second doubles the price; predictions wait in the spool",
    "AwsSolutions-RDS11": "the port is no secret: one security group reaches it",
}


@dataclass(frozen=True)
class Records:
    """The database, and the secret that says how it is reached."""

    database: Any
    settings: Any
    settings_secret: Any

    def field(self, name: str) -> Any:
        """One of the settings, for a container."""
        return ecs.Secret.from_secrets_manager(self.settings_secret, name)


def add_records(stack: Any, network: Network, clients: Any) -> Records:
    """An encrypted database in subnets without a way out, which the loop's own programs may ask."""
    engine = aws_rds.DatabaseInstanceEngine.postgres(version=aws_rds.PostgresEngineVersion.VER_18)
    database = aws_rds.DatabaseInstance(
        stack,
        "Database",
        engine=engine,
        vpc=network.vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        security_groups=[_add_access(stack, network, clients)],
        publicly_accessible=False,
        instance_type=ec2.InstanceType("t4g.small"),
        database_name=DATABASE,
        credentials=aws_rds.Credentials.from_generated_secret(
            USER, exclude_characters=string.punctuation
        ),
        parameter_group=aws_rds.ParameterGroup(stack, "OnlyTls", engine=engine, parameters=TLS),
        storage_encrypted=True,
        allocated_storage=STORAGE_GB,
        max_allocated_storage=MOST_STORAGE_GB,
        backup_retention=Duration.days(BACKUP_DAYS),
        copy_tags_to_snapshot=True,
        deletion_protection=True,
        removal_policy=RemovalPolicy.SNAPSHOT,
    )
    accept(database, DATABASE_REASONS)
    reason = "the programs of the loop would have to start anew with it"
    accept(database.node.find_child("Secret"), {"AwsSolutions-SMG4": reason})
    return _add_settings(stack, database)


def _add_access(stack: Any, network: Network, clients: Any) -> Any:
    access = ec2.SecurityGroup(
        stack,
        "DatabaseAccess",
        vpc=network.vpc,
        allow_all_outbound=False,
        description="PostgreSQL, from the programs of Driftline",
    )
    access.add_ingress_rule(clients, ec2.Port.tcp(PORT))
    return access


def _add_settings(stack: Any, database: Any) -> Records:
    """The addresses with their password, filled in by CloudFormation, and a key that signs."""
    password = f"{{{{resolve:secretsmanager:{database.secret.secret_arn}:SecretString:password}}}}"
    place = f"{database.db_instance_endpoint_address}:{database.db_instance_endpoint_port}"
    server = f"{USER}:{password}@{place}"
    key = f"{{{{resolve:secretsmanager:{_add_signing_key(stack).secret_arn}:SecretString}}}}"
    settings = {
        "DRIFTLINE_DATABASE_URL": f"postgresql://{server}/{DATABASE}?sslmode=require",
        "DRIFTLINE_SIGNING_KEY": key,
        "MLFLOW_TRACKING_URI": f"postgresql+psycopg://{server}/mlflow?sslmode=require",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{server}/prefect?ssl=require",
    }
    secret = secretsmanager.CfnSecret(
        stack,
        "Settings",
        description="How the database is reached, and the key that signs",
        secret_string=stack.to_json_string(settings),
    )
    accept(secret, {"AwsSolutions-SMG4": "it follows from two others"})
    known = secretsmanager.Secret.from_secret_complete_arn(stack, "SettingsRead", secret.ref)
    return Records(database, secret, known)


def _add_signing_key(stack: Any) -> Any:
    description = "Signs bentos and Lambda archives"
    reason = "what it has signed would no longer be loaded"
    return make_secret(stack, "SigningKey", description, length=64, is_not_rotated=reason)


@dataclass(frozen=True)
class Store:
    """The bucket, of which programs are let into folders."""

    bucket: Any

    @property
    def bucket_name(self) -> str:
        """Its name."""
        return str(self.bucket.bucket_name)

    def let_read(self, role: Any, folder: str) -> None:
        """Let a role read below a folder."""
        self._let(role, folder, ["s3:GetObject"])

    def let_work(self, role: Any, folder: str) -> None:
        """Let a role read, write and remove below a folder; versions stay."""
        actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        self._let(role, folder, actions)

    def _let(self, role: Any, folder: str, actions: list[str]) -> None:
        below = self.bucket.arn_for_objects(f"{folder}/*")
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[below]))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [folder, f"{folder}/*"]}},
            )
        )
        name = Stack.of(self.bucket).get_logical_id(self.bucket.node.default_child)
        found = f"AwsSolutions-IAM5[Resource::<{name}.Arn>/{folder}/*]"
        accept(role, {found: "objects are named by their content or their run"})


def add_store(stack: Any) -> Store:
    """Snapshots, artifacts, bentos and reports; what is replaced or removed stays for a while."""
    kept: dict[str, Any] = {
        "encryption": aws_s3.BucketEncryption.S3_MANAGED,
        "block_public_access": aws_s3.BlockPublicAccess.BLOCK_ALL,
        "enforce_ssl": True,
        "removal_policy": RemovalPolicy.RETAIN,
    }
    log = aws_s3.Bucket(
        stack,
        "StoreLog",
        lifecycle_rules=[aws_s3.LifecycleRule(expiration=Duration.days(LOG_LIFE_DAYS))],
        **kept,
    )
    accept(log, {"AwsSolutions-S1": "it is itself the bucket of a log"})
    rule = aws_s3.LifecycleRule(
        noncurrent_version_expiration=Duration.days(OLD_VERSION_DAYS),
        abort_incomplete_multipart_upload_after=Duration.days(7),
    )
    bucket = aws_s3.Bucket(
        stack,
        "Store",
        versioned=True,
        server_access_logs_bucket=log,
        lifecycle_rules=[rule],
        **kept,
    )
    return Store(bucket)


def watch_database(stack: Any, records: Records, topic: Any) -> None:
    """Alarms before the disk is full or the machine too small."""
    database = records.database
    used_up = Limit(
        each_minute(database.metric_free_storage_space(), "Minimum"),
        LEAST_FREE_BYTES,
        5,
        "The database's disk is nearly full",
    )
    busy = Limit(
        each_minute(database.metric_cpu_utilization(), "Average"),
        BUSY_PERCENT,
        15,
        "The database's machine is too small",
    )
    alarms = add_alarms(stack, {"DiskFull": used_up, "Busy": busy}, [topic.topic_arn])
    alarms[0].node.default_child.add_property_override(
        "ComparisonOperator", "LessThanOrEqualToThreshold"
    )
