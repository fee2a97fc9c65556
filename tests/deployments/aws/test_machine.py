"""The machine is closed but for its port, heals, and keeps secrets off its disk."""

import email
import os
import subprocess
from email.message import Message
from pathlib import Path

import pytest

from tests.deployments.aws.templates import filled, found, only, statements
from tests.support import ROOT

FOLDER = ROOT / "deployments" / "aws" / "machine"
ASKED = """#!/bin/sh
# secretsmanager get-secret-value --region R --secret-id ID ...: what lies under the ID
test "$1 $2 $4" = "secretsmanager get-secret-value eu-central-1" && cat "$PLACE/$6"
"""


def test_the_machine_is_called_on_one_port_and_not_logged_in_to() -> None:
    (rule,) = only("machine", "EC2::SecurityGroup")["SecurityGroupIngress"]
    machine = only("machine", "EC2::Instance")

    assert (rule["FromPort"], rule["ToPort"]) == (3000, 3000)
    assert rule["CidrIp"] == {"Ref": "CallersCidr"}
    assert "KeyName" not in machine
    assert machine["MetadataOptions"] == {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": {"Fn::If": ["HasStore", 2, 1]},
    }


def test_the_disk_is_encrypted_and_outlives_the_machine() -> None:
    (disk,) = only("machine", "EC2::Instance")["BlockDeviceMappings"]

    assert disk["Ebs"]["Encrypted"] is True
    assert disk["Ebs"]["DeleteOnTermination"] is False


def test_the_machine_reads_two_secrets_and_its_image_and_may_be_talked_to() -> None:
    allowed = {
        action: statement["Resource"]
        for statement in statements("machine")
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }

    assert {action.split(":")[0] for action in allowed} == {
        "ecr",
        "logs",
        "secretsmanager",
        "ssm",
        "ssmmessages",
        "s3",
    }
    secrets = allowed["secretsmanager:GetSecretValue"]
    assert len(secrets) == 2
    assert {"Ref": "SettingsArn"} in secrets
    assert allowed["s3:GetObject"] == [
        {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Ref": "Store"}, place]]}
        for place in ("/serving/*", "/bentos/*")
    ]


def test_a_machine_that_fails_is_moved_or_booted() -> None:
    alarms = [each["Properties"] for each in found("machine", "CloudWatch::Alarm")]
    cures = {
        alarm["MetricName"]: filled(alarm["AlarmActions"][0], {}).split(":")[-1] for alarm in alarms
    }

    assert cures == {"StatusCheckFailed_System": "recover", "StatusCheckFailed_Instance": "reboot"}


@pytest.mark.parametrize(("given", "kind"), [({}, "t3.small"), ({"IsArm": "yes"}, "t4g.small")])
def test_the_machine_is_of_the_images_architecture(given: dict[str, str], kind: str) -> None:
    machine = only("machine", "EC2::Instance")
    image = filled(machine["ImageId"], {"Architecture": "arm64"})

    assert filled(machine["InstanceType"], {"Size": "small", **given}) == kind
    assert image.endswith("al2023-ami-kernel-default-arm64}}")


def test_each_boot_writes_the_very_files_that_stand_here() -> None:
    script = _script()

    done = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    for path, name in (
        ("/usr/local/bin/driftline-settings", "settings.sh"),
        ("/etc/systemd/system/driftline.service", "driftline.service"),
    ):
        assert f"cat > {path} <<'END'\n{(FOLDER / name).read_text()}END\n" in script
    assert "- [scripts-user, always]" in str(_parts()[0].get_payload())


def test_the_image_runs_read_only_in_512_megabytes_and_logs_to_cloudwatch() -> None:
    unit = (FOLDER / "driftline.service").read_text()

    for option in ("--memory 512m", "--read-only", "--cap-drop all", "no-new-privileges"):
        assert option in unit
    assert "--tmpfs /tmp" in unit
    assert "--log-driver awslogs" in unit


def test_the_service_is_told_its_own_settings_and_not_those_of_the_loop(tmp_path: Path) -> None:
    told = (
        '{"DRIFTLINE_DATABASE_URL": "postgresql://db", "DRIFTLINE_PEM": "a\\nb", "MLFLOW_X": "no"}'
    )
    done = _settings(tmp_path, {"settings": told, "key": "abc"})

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "env").read_text().splitlines() == [
        "DRIFTLINE_DATABASE_URL=postgresql://db",
        "DRIFTLINE_PEM=a b",
        "DRIFTLINE_API_KEYS=abc",
        "DRIFTLINE_STORE_URL=s3://bucket/driftline",
        "AWS_DEFAULT_REGION=eu-central-1",
    ]
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("missing", ["settings", "key"])
def test_without_a_secret_the_service_is_not_started(tmp_path: Path, missing: str) -> None:
    secrets = {"settings": "{}", "key": "abc"}
    del secrets[missing]

    assert _settings(tmp_path, secrets).returncode != 0


def _settings(folder: Path, secrets: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """The script, as the unit runs it, with an `aws` that reads from a folder."""
    for name, text in secrets.items():
        (folder / name).write_text(text)
    program = folder / "aws"
    program.write_text(ASKED)
    program.chmod(0o755)
    places = {
        "REGION": "eu-central-1",
        "SETTINGS": "settings",
        "KEY": "key",
        "STORE": "s3://bucket/driftline",
    }
    own = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PLACE": str(folder),
        "RUNTIME_DIRECTORY": str(folder),
    }
    return subprocess.run(
        ["sh", FOLDER / "settings.sh"],
        env=places | own,
        capture_output=True,
        text=True,
        check=False,
    )


def _parts() -> list[Message]:
    message = email.message_from_string(filled(only("machine", "EC2::Instance")["UserData"], {}))
    return [part for part in message.walk() if not part.is_multipart()]


def _script() -> str:
    return str(_parts()[1].get_payload())
