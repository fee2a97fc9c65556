import io
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.digests import (
    GROUP,
    WEIGHT,
    digest_bytes,
    digest_columns,
    digest_pieces,
    digest_rows,
    digest_table,
)
from tests.support import ROOT
from tests.unit.tabled import TABLE

TABLE_SHA256 = "4db85c1f38d400874a12a25564b87014779b1bb270a34eb1a09a711bc8ad697e"

cells = st.one_of(st.none(), st.floats(), st.integers(-(2**53), 2**53).map(float))
tables = st.lists(
    st.tuples(cells, st.none() | st.text(st.characters(codec="utf-8"), max_size=8)),
    min_size=1,
    max_size=20,
).map(
    lambda rows: pd.DataFrame(
        {
            "number": pd.Series([row[0] for row in rows], dtype="float64"),
            "text": pd.Series([row[1] for row in rows], dtype="object"),
        }
    )
)


def test_these_rows_have_this_digest_on_every_machine() -> None:
    """A snapshot's name must outlive library versions; a change here renames every snapshot."""
    assert digest_table(TABLE) == TABLE_SHA256


BESIDE = TABLE.assign(**{GROUP: ["a", None, "Ünï"], WEIGHT: [1.5, 2.0, 0.25]})
BESIDE_SHA256 = "325b06ebf4406d37611f47d5c2bb76b8c9f61286b42904cea9f9ebb88a6c86e3"


def test_marks_of_groups_and_weights_keep_their_digest_too() -> None:
    assert digest_table(BESIDE) == BESIDE_SHA256


@pytest.mark.parametrize("table", [TABLE, BESIDE, BESIDE.head(0)])
@given(data=st.data())
def test_a_table_in_pieces_has_the_digest_of_the_whole(
    table: pd.DataFrame, data: st.DataObject
) -> None:
    """Two pieces may be cut at one place, so that the one between them is empty."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(table)), max_size=4)))

    def pieces(names: Sequence[str] | None) -> list[pd.DataFrame]:
        ends = [0, *cuts, len(table)]
        columns = list(names or table.columns)
        return [table[columns].iloc[a:b] for a, b in pairwise(ends)]

    assert digest_pieces(pieces) == digest_table(table)


@given(table=tables, rows=st.integers(1, 7))
def test_any_table_in_pieces_has_the_digest_of_the_whole(table: pd.DataFrame, rows: int) -> None:
    pieces = [table.iloc[start : start + rows] for start in range(0, len(table), rows)]

    assert digest_pieces(lambda _: pieces) == digest_table(table)


@pytest.mark.slow
def test_another_process_gives_the_same_digest() -> None:
    code = (
        "from tests.unit.tabled import TABLE\n"
        "from driftline.digests import digest_table\n"
        "print(digest_table(TABLE))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == digest_table(TABLE)


@given(table=tables)
def test_a_parquet_round_trip_keeps_the_digest(table: pd.DataFrame) -> None:
    buffer = io.BytesIO()

    table.to_parquet(buffer, index=False)
    again = pd.read_parquet(io.BytesIO(buffer.getvalue()))

    assert digest_table(again) == digest_table(table)


@given(table=tables)
def test_equal_rows_have_equal_digests_and_others_others(table: pd.DataFrame) -> None:
    digests = digest_rows(table)

    keys = [
        (None if np.isnan(number) else number + 0.0, text)
        for number, text in zip(table["number"], table["text"], strict=True)
    ]
    for i, key in enumerate(keys):
        for j, other in enumerate(keys[:i]):
            assert (key == other) == (digests[i] == digests[j])


@given(table=tables, seed=st.integers(0, 99))
def test_row_order_moves_row_digests_along(table: pd.DataFrame, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(table))

    moved = digest_rows(table.iloc[order])

    assert moved == [digest_rows(table)[i] for i in order]


def test_whole_numbers_and_floats_of_equal_value_are_equal() -> None:
    whole = pd.DataFrame({"age": pd.Series([1, 2], dtype="int64")})

    assert digest_table(whole) == digest_table(whole.astype("float64"))
    assert digest_table(whole) == digest_table(whole.astype("Int32"))


def test_the_kind_of_nothing_does_not_matter() -> None:
    none = pd.DataFrame({"sex": ["F", None]}, dtype="object")
    nan = pd.DataFrame({"sex": ["F", np.nan]}, dtype="object")

    assert digest_table(none) == digest_table(nan)


@pytest.mark.parametrize(
    "changed",
    [
        TABLE.iloc[::-1],
        TABLE[["level", "age", "sex"]],
        TABLE.rename(columns={"age": "years"}),
        TABLE.assign(age=[40, 50, 61]),
        TABLE.assign(sex=["F", "", "Ünï\u2028code"]),
        TABLE.head(2),
        TABLE.assign(age=TABLE["age"].astype(str)),
    ],
    ids=["rows turned", "columns turned", "renamed", "number", "text", "shorter", "kind"],
)
def test_a_table_that_differs_in_anything_has_another_digest(changed: pd.DataFrame) -> None:
    assert digest_table(changed.reset_index(drop=True)) != digest_table(TABLE)


def test_cells_cannot_be_moved_between_columns_unnoticed() -> None:
    one = pd.DataFrame({"a": ["ab"], "b": ["c"]})
    other = pd.DataFrame({"a": ["a"], "b": ["bc"]})

    assert digest_rows(one) != digest_rows(other)


def test_a_table_without_text_or_without_rows_has_a_digest() -> None:
    numbers = pd.DataFrame({"age": [1.0]})

    assert len(digest_table(numbers)) == len(digest_table(numbers.head(0))) == 64


def test_how_many_rows_are_digested_together_does_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = pd.DataFrame(
        {"x": [1.5, None, -0.0, 3, 4], "word": ["a", None, "c", "d", "e"], "n": [1, 2, 3, 4, 5]}
    )
    together = digest_rows(table)

    monkeypatch.setattr("driftline.digests.ROWS_AT_ONCE", 2)

    assert digest_rows(table) == together
    assert len(set(together)) == 5


def test_bytes_have_the_digest_that_sha256sum_prints() -> None:
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert digest_bytes(b"abc") == wanted


@pytest.mark.parametrize(
    "other",
    [
        TABLE.rename(columns={TABLE.columns[0]: "another"}),
        TABLE.iloc[::-1].reset_index(drop=True),
        TABLE.head(1),
        TABLE[list(TABLE.columns[::-1])],
    ],
)
def test_a_digest_of_columns_tells_names_order_and_values(other: pd.DataFrame) -> None:
    assert digest_columns(TABLE) == digest_columns(TABLE.copy())
    assert digest_columns(TABLE) != digest_columns(other)
