"""A local emulator of AWS (MiniStack), the serverless stack on it, and what its API answers."""

import hashlib
import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from tests.ports import free_ports
from tests.support import stop

STACK = "driftline-serverless"
REGION = "us-east-1"
WAIT_SECONDS = 120.0
RECORD = {"age": 61, "level": 1.25, "sex": "F"}


@dataclass
class Emulator:
    """Where it answers, and the parameters that its stack has got so far."""

    url: str
    given: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What points AWS's clients in another process there."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def client(self, service: str) -> Any:
        """A client of one of its services."""
        return boto3.client(  # type: ignore[call-overload] # the service's name is no literal here
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the emulator asks for none in particular
        )

    def deploy(self, template: str, archive: Path, **given: str) -> dict[str, str]:
        """Create the stack, or update it; what was given before stays. Returns its outputs."""
        stacks, content = self.client("cloudformation"), archive.read_bytes()
        key = f"lambda/{hashlib.sha256(content).hexdigest()}.zip"
        s3 = self.client("s3")
        s3.create_bucket(Bucket="archives")
        s3.put_object(Bucket="archives", Key=key, Body=content)
        is_new = not self.given
        self.given |= {"ArchiveBucket": "archives", "Authorization": "key", **given}
        begin = stacks.create_stack if is_new else stacks.update_stack
        begin(
            StackName=STACK,
            TemplateBody=template,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in self.given.items()
            ],
        )
        event = "stack_create_complete" if is_new else "stack_update_complete"
        often = {"Delay": 1, "MaxAttempts": 60}
        stacks.get_waiter(event).wait(StackName=STACK, WaiterConfig=often)
        (stack,) = stacks.describe_stacks(StackName=STACK)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def keep_settings(self, database_url: str) -> str:
        """Keep the settings as a secret; returns its ARN."""
        settings = {"DRIFTLINE_DATABASE_URL": database_url, "DRIFTLINE_SIGNING_KEY": ""}
        secrets = self.client("secretsmanager")
        made = secrets.create_secret(Name="settings", SecretString=json.dumps(settings))
        return str(made["ARN"])

    def read_secret(self, arn: str) -> str:
        """A secret's text."""
        secrets = self.client("secretsmanager")
        return str(secrets.get_secret_value(SecretId=arn)["SecretString"])

    def ask(self, api: str, key: str) -> tuple[int, dict[str, Any]]:
        """What the API answers to a record, asked by its own name on this machine."""
        caller = self.connection()
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        caller.request(
            "POST", "/predict", json.dumps(RECORD), {"Host": api.split("://")[1]} | headers
        )
        reply = caller.getresponse()
        answer: dict[str, Any] = json.loads(reply.read())
        return reply.status, answer

    def connection(self) -> http.client.HTTPConnection:
        """A connection, not yet opened."""
        host, port = self.url.removeprefix("http://").split(":")
        return http.client.HTTPConnection(host, int(port), timeout=60)

    def subscribe(self) -> tuple[str, str]:
        """A topic, and the queue that hears of it: its ARN, and the queue's URL."""
        topic = str(self.client("sns").create_topic(Name="people")["TopicArn"])
        queues = self.client("sqs")
        queue = str(queues.create_queue(QueueName="heard")["QueueUrl"])
        asked = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return topic, queue

    def receive(self, queue: str) -> list[dict[str, str]]:
        """The messages that a queue has got: `Subject`, `Message`, `TopicArn` and more."""
        took = self.client("sqs").receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=10
        )
        return [json.loads(each["Body"]) for each in took.get("Messages", ())]


@contextmanager
def running_emulator(python: Path, log: Path) -> Iterator[Emulator]:
    """MiniStack on a port of this machine alone, by the interpreter of an environment with it."""
    (port,) = free_ports(1)
    own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "WARNING"}
    with log.open("wb") as file:
        server = subprocess.Popen(
            [python, "-m", "ministack"], env=os.environ | own, stdout=file, stderr=file
        )
    try:
        emulator = Emulator(f"http://127.0.0.1:{port}")
        _await_port(emulator)
        yield emulator
    finally:
        stop(server)


def _await_port(emulator: Emulator) -> None:
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            emulator.connection().connect()
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.2)
        else:
            return
