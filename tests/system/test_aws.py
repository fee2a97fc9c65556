"""The stacks are written from their lock, and the Lambda's is deployed onto an emulator of AWS."""

import hashlib
import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.conftest import RunFlow
from tests.ports import free_ports
from tests.support import ROOT, TINY, file_problem, lacking, stop, tiny_rows
from tests.system.servers import start_postgresql

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.postgres]

STACK = "driftline-serverless"
WAIT_SECONDS = 120.0


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make aws` sets up, beside a checkout's own environment that is ready already."""
    if shutil.which("node") is None:
        lacking("node (Debian's package nodejs)")
    folder = tmp_path_factory.mktemp("aws")
    (folder / "ready").touch()
    done = make(folder, "STACKS=service", f"OUT={folder / 'out'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "out" / "driftline-service.json").is_file()
    return folder


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    given = [f"READY={folder / 'ready'}", f"AWS_VENV={folder / 'venv'}", *words]
    return subprocess.run(
        ["make", "aws", *given], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def archive(run_flow: RunFlow, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny problem's champion as a Lambda archive, made by its own commands."""
    folder = tmp_path_factory.mktemp("champion")
    home, project = folder / "home", folder / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows().to_csv(project / "rows.csv", index=False)
    for words in (("train", "tiny", "--folds", "3"), ("package", "tiny", "--lambda-zip")):
        done = run_flow(*words, home=home, project=project)
        assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (home / "lambda").glob("*.zip")
    return path


@pytest.fixture
def aws(environment: Path) -> Iterator[dict[str, Any]]:
    """MiniStack on a port of this machine alone: how its clients reach it."""
    (port,) = free_ports(1)
    own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "WARNING"}
    with (environment / "ministack.log").open("wb") as log:
        server = subprocess.Popen(
            [environment / "venv/bin/python", "-m", "ministack"],
            env=os.environ | own,
            stdout=log,
            stderr=log,
        )
    try:
        yield {
            "endpoint_url": f"http://127.0.0.1:{port}",
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
    finally:
        stop(server)


def test_no_finding_is_without_a_reason_and_the_templates_are_those_of_the_code(
    environment: Path,
) -> None:
    python, tool = environment / "venv/bin/python", environment / "venv/bin/cfn-lint"
    check = [python, "-m", "deployments.aws.synth", "--check"]
    lint = [tool, "--ignore-checks", "W3005", "--", "deployments/aws/templates/*.json"]  # CDK's own

    for words in (check, lint):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_post_through_the_api_is_answered_and_logged(
    environment: Path, archive: Path, aws: dict[str, Any], tmp_path: Path
) -> None:
    begun = time.monotonic()
    done = make(environment, "STACKS=serverless", f"ARCHIVE={archive}", f"OUT={tmp_path}")
    assert done.returncode == 0, done.stdout + done.stderr

    with start_postgresql() as server:
        url = with_tables(server.create_database())
        outputs = deploy(aws, (tmp_path / f"{STACK}.json").read_text(), archive, url)
        key = boto3.client("secretsmanager", **aws).get_secret_value(SecretId=outputs["KeySecret"])
        status, answer = ask(aws, outputs["Url"], key["SecretString"])
        seconds = time.monotonic() - begun
        refused, _ = ask(aws, outputs["Url"], "no such key")
        rows = logged(url)

    print(f"from synth to an answered POST: {seconds:.1f} s")  # noqa: T201 - for who runs the tests with -s
    assert (status, refused) == (200, 401)
    assert rows == [(answer["prediction_id"], answer["label"])]


def with_tables(url: str) -> str:
    from bentos.log.database import migrate, open_engine

    migrate(open_engine(url))
    return url


def logged(url: str) -> list[tuple[str, str]]:
    import psycopg

    with psycopg.connect(url) as connection:
        return connection.execute("SELECT id, label FROM predictions").fetchall()


def deploy(aws: dict[str, Any], template: str, archive: Path, url: str) -> dict[str, str]:
    """Put the archive and the settings where the stack looks for them, and create it."""
    s3, stacks = boto3.client("s3", **aws), boto3.client("cloudformation", **aws)
    content = archive.read_bytes()
    key = f"lambda/{hashlib.sha256(content).hexdigest()}.zip"
    await_port(aws)
    s3.create_bucket(Bucket="archives")
    s3.put_object(Bucket="archives", Key=key, Body=content)
    settings = json.dumps({"DRIFTLINE_DATABASE_URL": url, "DRIFTLINE_SIGNING_KEY": ""})
    secrets = boto3.client("secretsmanager", **aws)
    arn = secrets.create_secret(Name="settings", SecretString=settings)["ARN"]
    given = {"ArchiveBucket": "archives", "SettingsArn": arn, "Authorization": "key"}
    stacks.create_stack(
        StackName=STACK,
        TemplateBody=template,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
    )
    stacks.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    (stack,) = stacks.describe_stacks(StackName=STACK)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def await_port(aws: dict[str, Any]) -> None:
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection(aws).connect()
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.2)
        else:
            return


def connection(aws: dict[str, Any]) -> http.client.HTTPConnection:
    host, port = aws["endpoint_url"].removeprefix("http://").split(":")
    return http.client.HTTPConnection(host, int(port), timeout=60)


def ask(aws: dict[str, Any], url: str, key: str) -> tuple[int, dict[str, Any]]:
    """What the API answers to a record, asked by its own name on this machine."""
    name = url.split("://")[1]
    body = json.dumps({"age": 61, "level": 1.25, "sex": "F"})
    caller = connection(aws)
    caller.request(
        "POST",
        "/predict",
        body,
        {"Host": name, "X-API-Key": key, "Content-Type": "application/json"},
    )
    reply = caller.getresponse()
    answer: dict[str, Any] = json.loads(reply.read())
    return reply.status, answer
