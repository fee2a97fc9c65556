"""What is chosen for AWS is refused with a sentence where it cannot be meant."""

import hashlib
from pathlib import Path

import pytest

from deployments.aws.choices import ChoiceError, choose


def test_another_archive_is_another_key(tmp_path: Path) -> None:
    archive = tmp_path / "model.zip"
    archive.write_bytes(b"one")

    chosen = choose("serverless", str(archive))

    assert chosen.archive_key == f"lambda/{hashlib.sha256(b'one').hexdigest()}.zip"


def test_stacks_without_the_lambda_need_no_archive() -> None:
    assert choose("service, loop", "").stacks == ("service", "loop")


@pytest.mark.parametrize(
    ("stacks", "archive", "told"),
    [
        ("servrless", "", "--stacks: got 'servrless', wanted some of: serverless, service, loop"),
        ("", "", "--stacks: got '', wanted some of"),
        ("serverless,loop", "", r"--archive: missing; wanted the zip .* or --stacks loop"),
        ("serverless", "/nowhere.zip", "--archive: got /nowhere.zip, wanted a zip that is there"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_was_wanted(
    stacks: str, archive: str, told: str
) -> None:
    with pytest.raises(ChoiceError, match=told):
        choose(stacks, archive)
