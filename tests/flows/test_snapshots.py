"""`flows.snapshots` over a folder and a real bucket, with models and a journal that name some."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from rich.console import Console
from sqlalchemy import delete
from typer.testing import CliRunner, Result

from bentos.log.tables import JOURNAL
from flows import snapshots
from flows.shared import retention
from flows.shared.aliases import hand_over
from tasks.data.files import is_stored, list_names, locate, read_file, write_file
from tasks.data.storage import Origin, write_snapshot
from tasks.decorators import without_task_runs
from tasks.log.records import open_records
from tasks.models.registry import CHAMPION
from tasks.settings import get_settings
from tests.buckets import Bucket
from tests.support import MOODS, file_problem, tiny_rows

NONE = tiny_rows(0)


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.s3)])
def store(
    request: pytest.FixtureRequest,
    mlflow_home: Path,
    project: Path,
    prefect_api: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The tiny problem's store: a folder, and a real bucket."""
    assert prefect_api
    file_problem(project, "moods", MOODS)
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(project))
    monkeypatch.setattr(snapshots, "CONSOLE", Console(highlight=False, width=200))
    if request.param == "bucket":
        bucket: Bucket = request.getfixturevalue("s3")
        monkeypatch.setenv("DRIFTLINE_STORE_URL", f"s3://{bucket.name}/{mlflow_home.parent.name}")
    get_settings.cache_clear()
    yield get_settings().store
    get_settings.cache_clear()


def keep(rows: pd.DataFrame, problem: str = "tiny") -> str:
    """A snapshot of these rows, one of which was set aside."""
    origin = Origin("rows.csv", "comma", problem)
    return write_snapshot.fn(rows, tiny_rows(1), origin).sha256


def register(sha256: str, *, is_champion: bool = False) -> None:
    """A version of the tiny model that has learnt from a snapshot."""
    client = MlflowClient()
    if not client.search_registered_models():
        client.create_registered_model("tiny")
    version = client.create_model_version(
        "tiny", "file:///model", tags={"snapshot": sha256}
    ).version
    if is_champion:
        assert hand_over(
            "tiny",
            CHAMPION,
            str(version),
            rows=0,
            actor="a test",
            why="better",
            evidence="figures",
            promoted=None,
        )


def ask(*words: str, problem: str = "tiny") -> Result:
    return CliRunner().invoke(snapshots.APP, [problem, *words])


@pytest.mark.usefixtures("store")
def test_the_list_tells_origin_rows_tags_and_who_names_each() -> None:
    sha256 = keep(tiny_rows(30))
    other = keep(tiny_rows(20), problem="moods")
    register(sha256, is_champion=True)
    assert ask("tag", sha256[:12], "gold").exit_code == 0

    told = ask("list").output

    line = next(each for each in told.splitlines() if sha256[:12] in each)
    assert all(word in line for word in ("30", "rows.csv", "gold", "tiny version 1, champion"))
    assert "journal row 1" in line
    assert other[:12] not in told
    assert "gold" not in ask("list", problem="moods").output


def test_one_is_shown_by_its_digest_or_its_tag(store: str) -> None:
    sha256 = keep(tiny_rows(30))
    ask("tag", sha256[:8], "gold")

    told = ask("show", "gold").output

    assert told == ask("show", sha256[:8]).output
    assert told.splitlines()[0] == f"{store}/snapshots/{sha256}.parquet"
    assert "from: rows.csv" in told
    assert "mean" in told


@pytest.mark.usefixtures("store")
def test_a_damaged_one_is_listed_as_such_beside_the_others() -> None:
    whole, damaged = keep(tiny_rows(30)), keep(tiny_rows(20))
    address = locate("snapshots", f"{damaged}.parquet")
    write_file(address, read_file(address)[:-100])

    lines = ask("list").output.splitlines()

    assert any(whole[:12] in line and " 30 " in line for line in lines)
    assert any(damaged[:12] in line and " damaged " in line for line in lines)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("content", [b"", b'{"sha256"', b"[1]", b"{}"])
def test_a_damaged_tag_is_named(content: bytes) -> None:
    keep(tiny_rows(30))
    address = locate("snapshots", "tags", "tiny.gold.json")
    write_file(address, content)

    done = ask("list")

    assert done.exit_code == 1
    assert done.output.startswith(f"error: {address}: names no snapshot; wanted it as it was")


@pytest.mark.usefixtures("store")
def test_two_are_compared() -> None:
    before, after = keep(tiny_rows(30)), keep(tiny_rows(30).tail(20).assign(weight=1.0))

    told = ask("compare", before[:12], after[:12]).output

    assert "rows: 0 added, 10 removed, 20 in both" in told
    assert "new columns: weight" in told


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_one_is_fetched_into_a_file(kind: str, tmp_path: Path) -> None:
    rows = tiny_rows(30)
    sha256 = keep(rows)
    target = tmp_path / f"rows.{kind}"

    done = ask("fetch", sha256[:12], "--to", str(target))

    assert done.output.strip() == f"{target}: 30 rows"
    read = pd.read_parquet(target) if kind == "parquet" else pd.read_csv(target)
    pd.testing.assert_frame_equal(read, rows)
    assert ask("fetch", sha256[:12], "--to", str(target)).exit_code == 1  # it is there already
    if kind == "parquet":
        assert target.read_bytes() == read_file(locate("snapshots", f"{sha256}.parquet"))


@pytest.mark.usefixtures("store")
def test_retention_drops_what_nobody_names_and_says_so() -> None:
    learnt, tagged, idle, others = (
        keep(tiny_rows(rows), problem)
        for rows, problem in ((30, "tiny"), (31, "tiny"), (32, "tiny"), (33, "moods"))
    )
    newest = keep(tiny_rows(34))
    register(learnt)
    ask("tag", tagged[:12], "gold")

    young = ask("drop", "--keep", "0").output
    planned = ask("drop", "--keep", "1", "--days", "0", "--dry-run").output
    assert all(is_stored(locate("snapshots", f"{each}.parquet")) for each in (idle, newest))
    done = ask("drop", "--keep", "1", "--days", "0").output

    left = {name.partition(".")[0] for name in list_names(locate("snapshots"))}
    (gone,) = {idle, newest} - left  # a bucket knows seconds, so both may be the newest
    assert "dropped" not in young
    assert f"would be dropped: {gone[:12]}" in planned
    assert f"dropped: {gone[:12]}" in done
    assert left == {learnt, tagged, others, idle, newest} - {gone}
    assert f"{gone}.parquet" not in list_names(locate("snapshots", "quarantined"))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("lost", ["registry", "journal"])
def test_nothing_is_dropped_where_it_is_not_known_what_is_named(lost: str) -> None:
    sha256 = keep(tiny_rows(30))
    register(sha256, is_champion=True)
    if lost == "registry":
        MlflowClient().delete_registered_model("tiny")
    else:
        with open_records().begin() as connection:
            connection.execute(delete(JOURNAL))

    done = ask("drop", "--keep", "0", "--days", "0")

    assert done.exit_code == 1
    assert "what they name is not known" in done.stderr
    assert is_stored(locate("snapshots", f"{sha256}.parquet"))


@pytest.fixture
def an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting by which snapshots go at once, but for the newest one."""
    monkeypatch.setenv("DRIFTLINE_SNAPSHOT_DAYS", "0.0000001")
    monkeypatch.setattr(retention, "NEWEST_KEPT", 1)
    get_settings.cache_clear()


def kept_now() -> set[str]:
    return {name.partition(".")[0] for name in list_names(locate("snapshots"))}


@pytest.mark.usefixtures("store", "an_hour")
def test_by_its_setting_retention_drops_what_nobody_names() -> None:
    learnt, idle, others = (keep(tiny_rows(rows)) for rows in (30, 31, 32))
    register(learnt, is_champion=True)
    moods = keep(tiny_rows(33), problem="moods")

    with without_task_runs():
        retention.let_snapshots_go("tiny")

    left = kept_now()
    assert {learnt, moods} < left
    assert len(left & {idle, others}) == 1  # the newest one


@pytest.mark.usefixtures("store", "an_hour")
def test_by_its_setting_retention_drops_nothing_where_names_are_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = {keep(tiny_rows(rows)) for rows in (30, 31, 32)}
    register(min(kept), is_champion=True)
    MlflowClient().delete_registered_model("tiny")
    caplog.set_level("INFO", "driftline")

    with without_task_runs():
        retention.let_snapshots_go("tiny")

    assert kept_now() == kept
    assert "no snapshot was dropped" in caplog.text


@pytest.mark.usefixtures("store")
def test_without_the_setting_every_snapshot_stays() -> None:
    kept = {keep(tiny_rows(rows)) for rows in range(30, 30 + retention.NEWEST_KEPT + 2)}

    with without_task_runs():
        retention.let_snapshots_go("tiny")

    assert kept_now() == kept


@pytest.mark.usefixtures("store")
def test_an_untagged_snapshot_loses_its_protection_alone() -> None:
    sha256 = keep(tiny_rows(30))
    ask("tag", sha256[:12], "gold")

    assert ask("untag", "gold").exit_code == 0

    assert "gold" not in ask("list").output
    assert is_stored(locate("snapshots", f"{sha256}.parquet"))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "zz"), "SNAPSHOT: got 'zz', wanted the SHA-256"),
        (("show", "00ff"), "SNAPSHOT: 0 snapshots in"),
        (("fetch", "gold", "--to", "rows.xlsx"), "--to: got 'rows.xlsx', wanted a file that ends"),
        (("tag", "gold", "../up"), "TAG: got '../up', wanted letters"),
        (("tag", "gold", "abc123"), "TAG: got 'abc123', wanted letters"),
        (("tag", "f" * 64, "new"), "which is not in the store"),
        (("untag", "silver"), "TAG: got 'silver', wanted one of gold"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words: tuple[str, ...], message: str) -> None:
    ask("tag", keep(tiny_rows(30))[:12], "gold")

    done = ask(*words)

    assert done.exit_code == 1
    assert message in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.usefixtures("store")
def test_a_name_stays_with_the_snapshot_that_has_it() -> None:
    first, second = keep(tiny_rows(30)), keep(tiny_rows(31))
    ask("tag", first[:12], "gold")

    again, other = ask("tag", first[:12], "gold"), ask("tag", second[:12], "gold")

    assert again.exit_code == 0
    assert f"which snapshot {first[:12]} has" in other.stderr
    told = json.loads(read_file(locate("snapshots", "tags", "tiny.gold.json")))
    assert told["sha256"] == first
