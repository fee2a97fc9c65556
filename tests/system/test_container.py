"""The image as it is handed out: small, closed, and serving within the limits it will meet."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import s3fs

from bentos.takeover import content
from bentos.takeover.archive import pack
from bentos.takeover.shelf import Pointer, archive_in_store, format_pointer, pointer_in_store
from tasks.shipping import images
from tasks.shipping.engines import Run, ask, run_image
from tasks.verify import environments
from tests.buckets import Bucket
from tests.conftest import RunFlow
from tests.system.packing import Packed
from tests.system.service import await_that

pytestmark = [pytest.mark.system, pytest.mark.container]

TAKE_OVER_SECONDS = 15.0
LOOK = """
import json, os, shutil, importlib.util as find
tools = "git gcc cc ld make pip pip3 uv apt dpkg".split()
print(json.dumps({
    "uid": os.getuid(),
    "tools": [name for name in tools if shutil.which(name)],
    "modules": [name for name in ("pip", "ensurepip", "setuptools", "uv", "sklearn", "mlflow")
                if find.find_spec(name)],
    "writable": [p for p in ("/", "/app/packages", os.environ["BENTO_PATH"], "/usr/lib")
                 if os.access(p, os.W_OK)],
}))
"""


def test_the_image_is_small_and_holds_nothing_to_build_with(packed: Packed) -> None:
    assert packed.megabytes <= 500

    seen = json.loads(in_image(packed.image, "-c", LOOK))

    assert seen == {"uid": 1034, "tools": [], "modules": [], "writable": []}


def test_a_container_answers_with_a_read_only_root_in_512_megabytes(
    packed: Packed, record: dict[str, object]
) -> None:
    batch = json.dumps({"records": [record] * 10_000}).encode()

    with environments.container(packed.image) as running:
        one = running.ask("POST", "/predict", json.dumps(record).encode())
        many = running.ask("POST", "/predict_batch", batch)
        metrics = running.ask("GET", "/metrics", b"")

    assert one.status == 200
    assert json.loads(one.body)["label"] in {"well", "ill"}
    assert len(json.loads(many.body)["predictions"]) == 10_000
    assert b"driftline_predictions_total" in metrics.body


def test_a_build_on_a_base_that_is_not_there_says_so(packed: Packed, run_flow: RunFlow) -> None:
    done = run_flow(
        "package",
        "tiny",
        "--containerize",
        "--base-image",
        "localhost/no-such-image",
        home=packed.home,
        project=packed.project,
    )

    assert done.returncode == 1
    assert "no-such-image" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_engine_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name, **_: None)

    with pytest.raises(images.PackagingError, match="tried podman; install or start one"):
        images.containerize.fn("tiny:v1", images.Build(backend="podman"))


def in_image(image: str, *words: str) -> str:
    """What `python3 <words>` prints in a container of the image."""
    run = Run(image, entrypoint="python3", words=words)
    with run_image("podman", run) as container:
        ask(["podman", "wait", container])
        printed = subprocess.run(
            ["podman", "logs", container], check=True, capture_output=True, text=True
        )
    return printed.stdout


@pytest.mark.s3
def test_a_container_takes_over_the_champion_of_its_store(
    packed: Packed, s3_server: Bucket, tmp_path: Path
) -> None:
    prefix = f"{s3_server.name}/container"
    environment = s3_server.environment | {
        "DRIFTLINE_STORE_URL": f"s3://{prefix}",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    newer = tmp_path / "bento"
    shutil.copytree(packed.bento, newer)
    contract = newer / "src" / "contract.json"
    contract.write_text(json.dumps(json.loads(contract.read_text()) | {"model_version": "7"}))
    sha256, archive = content.write_sums(newer), pack(newer)
    served = content.digest_served(
        content.below(content.parse_sums((newer / content.SUMS).read_bytes()), content.SERVED)
    )
    tag = f"tiny:v7-{served[: content.TAG_DIGITS]}"
    pointer = Pointer(tag, sha256, archive_sha256=content.digest(archive))
    files = s3fs.S3FileSystem(
        endpoint_url=s3_server.endpoint,
        key=environment["AWS_ACCESS_KEY_ID"],
        secret=environment["AWS_SECRET_ACCESS_KEY"],
    )

    with environments.container(packed.image, environment) as running:
        before = json.loads(running.ask("GET", "/model", b"").body)["version"]
        files.pipe_file(f"{prefix}/{archive_in_store(pointer.tag)}", archive)
        files.pipe_file(f"{prefix}/{pointer_in_store('tiny')}", format_pointer(pointer))
        await_that(
            lambda: json.loads(running.ask("GET", "/model", b"").body)["version"] == "7",
            TAKE_OVER_SECONDS,
        )

    assert before == "1"
