"""The Lambda's archive and image under AWS's emulator, in a container with a Lambda's limits."""

import json
import time
import zipfile
from pathlib import Path

from tasks.shipping.engines import Run, run_image
from tasks.verify import emulator, processes


def archive_in(base_image: str, archive: Path, folder: Path) -> Run:
    """The archive, unpacked as on Lambda, over a base image."""
    task, runtime = folder / "task", folder / "runtime"
    with zipfile.ZipFile(archive) as content:
        content.extractall(task)
    emulator.copy_runtime_client(runtime)
    return Run(
        base_image,
        environment={"PYTHONPATH": "/var/task:/var/runtime", "TMPDIR": "/tmp"},  # noqa: S108 - the container has no other
        mounts=[f"{task}:/var/task:ro", f"{runtime}:/var/runtime:ro"],
        entrypoint=emulator.RIE_IN_IMAGE,
    )


def image(tag: str) -> Run:
    """The image with the command that makes it a Lambda."""
    return Run(tag, entrypoint=emulator.RIE_IN_IMAGE)


def ask_once(run: Run, rie: Path, record: dict[str, object]) -> tuple[int, float]:
    """The status of the first answer, and the seconds from the container's start to it."""
    outer, inner = processes.free_ports(2)
    words = [*emulator.options(outer, inner), "python3", "-m", "awslambdaric"]
    limited = Run(
        run.image,
        words=[*words, emulator.HANDLER],
        entrypoint=run.entrypoint,
        environment={**run.environment, **emulator.lambda_environment()},
        mounts=[*run.mounts, f"{rie}:{emulator.RIE_IN_IMAGE}:ro"],
    )
    began = time.perf_counter()
    with run_image("podman", limited):
        processes.wait_listening(outer)
        answer = emulator.asker(outer)("POST", "/predict", json.dumps(record).encode())
        return answer.status, time.perf_counter() - began
