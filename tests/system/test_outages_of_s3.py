"""A store that fails while a training runs: the source, snapshots, and MLflow's artifacts in S3."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
import s3fs

from driftline.digests import digest_table
from tests.buckets import Bucket
from tests.conftest import ForkFlow
from tests.support import TINY, file_problem, tiny_rows
from tests.system.proxy import Fault, Proxy, answering, cutting, running, shortening
from tests.system.watching import RUNS, Left, Watched

pytestmark = [pytest.mark.system, pytest.mark.s3]

OUTAGE_SECONDS = 10.0


@dataclass(frozen=True)
class Site:
    """A bucket behind a proxy, with the source in it, and a problem that is trained on it."""

    fork_flow: ForkFlow
    bucket: Bucket
    proxy: Proxy
    folder: Path
    prefix: str

    @property
    def env(self) -> dict[str, str]:
        """What a flow is told, so that all of its S3 goes through the proxy."""
        shown = replace(self.bucket, endpoint=self.proxy.url)
        return shown.environment | {"DRIFTLINE_STORE_URL": f"s3://{self.prefix}/store"}

    @property
    def left(self) -> Left:
        """What the flows have left."""
        return Left(self.folder / "home", self.env)

    @property
    def files(self) -> s3fs.S3FileSystem:
        """The bucket itself."""
        keys = self.bucket.environment
        return s3fs.S3FileSystem(
            endpoint_url=self.bucket.endpoint,
            key=keys["AWS_ACCESS_KEY_ID"],
            secret=keys["AWS_SECRET_ACCESS_KEY"],
            use_listings_cache=False,
        )

    def train(self, *words: str, **env: str) -> Watched:
        """Begin a training."""
        where = {"home": self.left.home, "project": self.folder / "project"}
        given = ("train", "tiny", "--folds", "3", *words)
        return Watched(self.fork_flow(*given, **where, env=self.env | env))

    def assert_whole(self, *, rows: int) -> None:
        """One champion, trained on all rows; each snapshot holds what it is named after."""
        assert self.left.summary["promotion"]["verdict"] == "promoted"
        assert self.left.summary["snapshot"]["rows"] == rows
        assert self.left.breaks() == []
        assert self.left.champion() == self.left.summary["model"]["version"]
        for path in self.files.glob(f"{self.prefix}/store/snapshots/*.parquet"):
            with self.files.open(path) as file:
                assert digest_table(pd.read_parquet(file)) == Path(path).stem


@pytest.fixture
def site(fork_flow: ForkFlow, s3_server: Bucket, tmp_path: Path) -> Iterator[Site]:
    """The tiny problem, its rows in the bucket."""
    prefix = f"{s3_server.name}/outages/{tmp_path.name}"
    with running(s3_server.endpoint) as proxy:
        made = Site(fork_flow, s3_server, proxy, tmp_path, prefix)
        source = {"kind": "file", "location": f"s3://{prefix}/rows.csv"}
        file_problem(tmp_path / "project", "tiny", TINY, source=source)
        with made.files.open(f"{prefix}/rows.csv", "w") as file:
            tiny_rows().to_csv(file, index=False)
        yield made


def test_a_training_waits_for_a_store_that_fails(site: Site) -> None:
    site.proxy.fault = answering("503 Slow Down")
    train = site.train()
    for step, status in (
        ("read and clean ...", "503 Slow Down"),
        ("log to MLflow ...", "500 Internal Error"),
        ("package ...", "503 Service Unavailable"),
    ):
        train.await_line(step)
        site.proxy.fault = answering(status)
        time.sleep(OUTAGE_SECONDS)
        site.proxy.fault = None

    code = train.end()

    assert code == 0, train.output
    assert len(site.proxy.struck) > 3
    assert "Traceback" not in train.output
    site.assert_whole(rows=240)
    states = site.left.run_states()
    assert (states.count("FINISHED"), "RUNNING" in states) == (RUNS, False)


def test_without_patience_it_ends_with_one_line_and_the_next_run_is_right(site: Site) -> None:
    train = site.train(DRIFTLINE_PATIENCE_SECONDS="1", AWS_MAX_ATTEMPTS="1")
    train.await_line("log to MLflow ...")
    site.proxy.fault = answering("503 Slow Down")

    code = train.end()
    site.proxy.fault = None
    again = site.train()

    errors = [line for line in train.said if line.startswith("error: ")]
    assert (code, len(errors)) == (1, 1), train.output
    assert "did not answer" in errors[0]
    assert "Traceback" not in train.output
    assert again.end() == 0, again.output
    site.assert_whole(rows=240)
    states = site.left.run_states()
    assert (states.count("FINISHED"), set(states)) == (RUNS, {"FINISHED", "FAILED"})


def test_a_model_that_is_read_in_part_is_not_packaged(site: Site) -> None:
    """Not even where the store says that the part is the whole."""
    site.proxy.fault = shortening(r"GET .*/serving/model.onnx")
    train = site.train()

    code = train.end()
    bentos = site.files.glob(f"{site.prefix}/store/bentos/**")
    site.proxy.fault = None
    again = site.train()

    assert (code, bentos) == (1, []), train.output
    assert "error: tiny v1: its files cannot be used (model.onnx: got SHA-256" in train.output
    assert again.end() == 0, again.output
    assert (site.left.champion(), site.left.breaks()) == ("1", [])


@pytest.mark.parametrize("fault", [cutting, shortening])
def test_what_is_read_in_part_is_read_again(site: Site, fault: Callable[..., Fault]) -> None:
    site.proxy.fault = fault(r"GET .*/rows.csv", r"GET .*/snapshots/")

    train = site.train()
    code = train.end()

    assert code == 0, train.output
    assert len(site.proxy.struck) == 4
    site.assert_whole(rows=240)
