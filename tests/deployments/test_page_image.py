"""What is put into the page's image is all that the page imports of ours."""

import subprocess
import sys
from pathlib import Path

from deployments.page_image import copy_code

SCRIPTS = "asking", "launch", "owning", "uploading"


def test_what_is_put_into_the_image_works_by_itself(tmp_path: Path) -> None:
    copy_code(tmp_path)
    wanted = ", ".join(f"deployments.ui.{name}" for name in SCRIPTS)

    done = subprocess.run(
        [sys.executable, "-c", f"import {wanted}; print('imported')"],
        cwd=tmp_path,
        env={"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "imported", done.stderr[-800:]
    assert {path.name for path in tmp_path.iterdir()} == {"deployments", "driftline"}
