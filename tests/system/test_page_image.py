"""The image of the page: it shows the page with a read-only root, and holds no more than that."""

import os
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from tasks.shipping.engines import Image, Run, ask, read_image, read_log, run_image
from tests.ports import free_ports
from tests.support import run_command
from tests.system.service import await_that

pytestmark = [pytest.mark.system, pytest.mark.container, pytest.mark.long]

ENGINE = "podman"
TAG = "localhost/driftline-page:test"
LOOK = """
import sys, importlib.util as find
import deployments.ui.asking, deployments.ui.owning, deployments.ui.uploading
print("imported", *filter(find.find_spec, sys.argv[1:]))
"""
NOT_IN_IT = ("flows", "tasks", "bentos", "prefect", "mlflow", "sklearn", "pip")


@pytest.fixture(scope="module")
def image(base_image: str) -> Iterator[Image]:
    """The built image."""
    words = ("--tag", TAG, "--base-image", base_image, "--engine", ENGINE)
    done = run_command("deployments.page_image", *words, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    yield read_image(TAG, ENGINE)
    subprocess.run([ENGINE, "image", "rm", "--force", TAG], check=False, capture_output=True)


def test_a_container_shows_the_page_with_a_read_only_root(image: Image) -> None:
    (port,) = free_ports(1)
    words = ("--port", str(port), "--host", "127.0.0.1")

    with run_image(ENGINE, Run(image.tag, words)) as container:
        await_that(lambda: is_up(port), 120)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as reply:
            page = reply.read().decode()
        log = read_log(ENGINE, container)

    assert "<title>" in page
    assert "Traceback" not in log
    assert image.megabytes < 700


def test_the_image_holds_nothing_but_the_page(image: Image) -> None:
    run = Run(image.tag, entrypoint="python3", words=("-c", LOOK, *NOT_IN_IT))

    with run_image(ENGINE, run) as container:
        ask([ENGINE, "wait", container])
        told = read_log(ENGINE, container)

    assert told.split() == ["imported"]


def is_up(port: int) -> bool:
    """Whether the page's server answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
