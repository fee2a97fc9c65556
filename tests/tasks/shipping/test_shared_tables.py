"""Tables of joins in the store: whole, signed, pointed at, and removed when nobody wants them."""

import os
import time
from pathlib import Path

import pytest
import s3fs

from bentos.settings import lookup_folder
from bentos.tables.bringing import Bringer
from bentos.tables.bucket import reader
from bentos.tables.lookups import table_path
from bentos.tables.pointers import parse_table_pointer, pointer_in_store
from bentos.takeover.content import digest
from tasks.settings import get_settings
from tasks.shipping.stores import share_table
from tests.bentos.tables.test_lookups import LABS, labs
from tests.bentos.takeover.signing import make_keys
from tests.buckets import Bucket
from tests.tasks.shipping.machines import KEY, use_store

OLD = labs(("7", "2024-03-01", "1.5", "F"))
NEW = labs(("7", "2024-03-15", "2.5", "M"))
TWO_DAYS = 2 * 86_400


@pytest.fixture
def store(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that is elsewhere, in a folder."""
    for name in ("DRIFTLINE_SIGNING_KEY", "DRIFTLINE_EVIDENCE_PUBLIC_KEY"):
        monkeypatch.delenv(name, raising=False)
    use_store(home.parent / "store", monkeypatch)
    return home.parent / "store"


def kept(store: Path) -> set[str]:
    """The contents that the store has of the table."""
    return {path.stem for path in (store / "serving/lookups/tiny/labs").glob("*.npz")}


def named(store: Path) -> str:
    content = (store / pointer_in_store("tiny", "labs")).read_bytes()
    return parse_table_pointer(content, "tiny", "labs").sha256


def test_a_store_that_is_just_this_machine_s_folder_gets_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRIFTLINE_STORE_URL", raising=False)
    get_settings.cache_clear()

    share_table("tiny", "labs", NEW)

    assert not list(home.rglob("*.npz"))


def test_a_table_is_pointed_at_and_the_one_before_stays_for_who_is_fetching_it(store: Path) -> None:
    for content in (OLD, NEW, NEW):
        share_table("tiny", "labs", content)

    assert named(store) == digest(NEW)
    assert kept(store) == {digest(OLD), digest(NEW)}


def test_tables_that_no_pointer_names_go_after_a_day(store: Path) -> None:
    contents = [labs(("7", "2024-03-01", str(level), "F")) for level in range(4)]
    for content in contents[:3]:
        share_table("tiny", "labs", content)
    for path in (store / "serving/lookups/tiny/labs").iterdir():
        os.utime(path, (time.time() - TWO_DAYS,) * 2)

    share_table("tiny", "labs", contents[3])

    assert kept(store) == {digest(contents[2]), digest(contents[3])}


def test_what_is_damaged_in_the_store_is_written_anew(store: Path) -> None:
    share_table("tiny", "labs", NEW)
    (path,) = (store / "serving/lookups/tiny/labs").glob("*.npz")
    path.write_bytes(NEW[:50])
    (store / pointer_in_store("tiny", "labs")).write_bytes(b"{")

    share_table("tiny", "labs", NEW)

    assert named(store) == digest(path.read_bytes()) == digest(NEW)


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_a_signed_table_is_brought_by_who_wants_it_signed(
    store: Path, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    private, public = make_keys(tmp_path / "keys")
    _, foreign = make_keys(tmp_path / "foreign")
    bringer = Bringer(reader(str(store)), tmp_path / "here", seconds=0.0)
    share_table("tiny", "labs", OLD)
    if kind == "shared":
        monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    else:
        monkeypatch.setenv("DRIFTLINE_EVIDENCE_PUBLIC_KEY", str(public))
    with pytest.raises(ValueError, match="not signed"):
        bringer.bring("tiny", LABS)

    monkeypatch.setenv("DRIFTLINE_EVIDENCE_KEY", str(private))
    get_settings.cache_clear()
    share_table("tiny", "labs", OLD)
    bringer.bring("tiny", LABS)

    assert table_path(tmp_path / "here", "tiny", "labs").read_bytes() == OLD
    share_table("tiny", "labs", NEW)
    if kind == "own":
        monkeypatch.setenv("DRIFTLINE_EVIDENCE_PUBLIC_KEY", str(foreign))
        with pytest.raises(ValueError, match="made by another key"):
            bringer.bring("tiny", LABS)


@pytest.mark.s3
@pytest.mark.usefixtures("home")
def test_a_table_goes_through_a_real_bucket(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    use_store(f"s3://{s3.name}/shared", monkeypatch)
    read = reader(f"s3://{s3.name}/shared")

    for content in (OLD, NEW):
        share_table("tiny", "labs", content)
        Bringer(read, lookup_folder(), seconds=0.0).bring("tiny", LABS)
        assert table_path(lookup_folder(), "tiny", "labs").read_bytes() == content

    files = s3fs.S3FileSystem(endpoint_url=s3.endpoint, use_listings_cache=False)
    below = files.find(f"{s3.name}/shared/serving/lookups/tiny/labs")
    assert {Path(name).stem for name in below} == {digest(OLD), digest(NEW)}
