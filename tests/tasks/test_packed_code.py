"""What is packed for serving is all that serving imports of ours."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tasks.shipping.archives import CODE
from tasks.shipping.packaging import SERVED_CODE
from tasks.shipping.wheels import let_all_read
from tests.bentos.models import RECORD, write_tiny_model
from tests.support import ROOT

IN_LAMBDA = """
import json, sys
from bentos.lambda_handler import handler
for body in (json.loads(sys.argv[1]), {"age": -1}):
    answer = handler({"httpMethod": "POST", "path": "/predict", "body": json.dumps(body)})
    print(answer["statusCode"])
why = {"httpMethod": "POST", "path": "/explain", "body": sys.argv[1]}
print(handler(why)["statusCode"])
print(handler({"httpMethod": "GET", "path": "/openapi.json"})["statusCode"])
"""
IN_A_BENTO = """
import bentos.http.limits, bentos.launch, bentos.log.shipper, bentos.service
import bentos.takeover.courier
print("imported")
"""


def copy(patterns: Iterable[str], folder: Path) -> None:
    for pattern in patterns:
        for path in ROOT.glob(pattern):
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


@pytest.mark.parametrize(
    ("patterns", "program", "told"),
    [(CODE, IN_LAMBDA, ["200", "422", "200", "200"]), (SERVED_CODE, IN_A_BENTO, ["imported"])],
    ids=["lambda", "bento"],
)
def test_what_is_packed_answers_by_itself(
    patterns: tuple[str, ...], program: str, told: list[str], tmp_path: Path
) -> None:
    copy(patterns, tmp_path / "code")
    model = write_tiny_model(tmp_path / "model")
    own = {
        "DRIFTLINE_MODEL_DIR": str(model),
        "DRIFTLINE_DATABASE_URL": f"sqlite:///{tmp_path / 'log.db'}",
        "PYTHONPATH": "",
    }
    words = [sys.executable, "-c", program, json.dumps(RECORD)]

    done = subprocess.run(
        words,
        cwd=tmp_path / "code",
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == told, done.stderr


def test_an_image_holds_nothing_that_its_user_cannot_read(tmp_path: Path) -> None:
    """Who builds it keeps what is written for themselves, and the image's user is another."""
    folder = tmp_path / "packages"
    folder.mkdir(mode=0o700)
    for name, mode in (("module.py", 0o600), ("tool", 0o700)):
        (folder / name).touch(mode=mode)

    let_all_read(folder)

    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert modes == {"packages": 0o755, "module.py": 0o644, "tool": 0o755}
