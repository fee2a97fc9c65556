import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest

from deployments.ui import scoring
from deployments.ui.scoring import PIECE, Scored, find_columns, read_table, score, write_table
from driftline.computed import Computed, FeatureSpec
from driftline.errors import DataError
from driftline.fields import FieldSpec

AGE = FieldSpec("age", "integer", low=0, high=120)
LEVEL = FieldSpec("level", "number", low=-10, high=10, allow_missing=True, missing_codes=("-9",))
SEX = FieldSpec("sex", "category", categories=("F", "M"), aliases=(("female", "F"),))
FIELDS = (AGE, LEVEL, SEX)
WANTED = Computed((FeatureSpec("inverse", "1 / age", refuse=True),), FIELDS)


class Answering:
    """A service that keeps what it was asked."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        self.pieces: list[list[dict[str, Any]]] = []
        self.reported: list[list[dict[str, Any]]] = []

    def __call__(self, records: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
        self.pieces.append(records)
        return [
            {
                "label": "ill",
                "probability": {"well": 0.25, "ill": 0.75},
                "risk_level": "high",
                "model_version": "7",
                "prediction_id": f"id-{record['age']}",
            }
            for record in records
        ]


def last(content: bytes, service: Answering) -> tuple[scoring.Uploaded, Scored]:
    table = read_table(content)
    *_, (done, scored) = score(table, WANTED, service, service.reported.append)
    assert done == len(table.rows)
    return table, scored


@pytest.mark.parametrize(
    "content",
    [
        b"age,level,sex\n40,0.5,F\n",
        b"\xef\xbb\xbfAge;LEVEL; Sex \r\n40;0,5;F\r\n",
        b"age\tlevel\tsex\n40\t5e-1\tfemale\n",
        "é|sex|level|age\nx|F|0.5|40\n".encode("cp1252"),
    ],
)
def test_tables_are_read_as_they_are_written(content: bytes) -> None:
    service = Answering()

    last(content, service)

    ((record,),) = service.pieces
    assert record["age"] == 40
    assert record["level"] == 0.5
    assert SEX.encode(record["sex"]) == 0


@pytest.mark.parametrize("cell", ["", " ", "-9"])
def test_what_is_missing_may_be_where_the_contract_lets_it(cell: str) -> None:
    service = Answering()

    _, scored = last(f"age,level,sex\n40,{cell},F\n".encode(), service)

    assert not scored.faults


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("121,1,F", "age must be between 0 and 120"),
        ("40.5,1,F", "age must be a whole number"),
        ("0,1,F", "age leaves inverse undefined (1 / age)"),
        (",1,X", "age is required; sex must be one of: F, M"),
        ("nan,1,F", "age must be a number"),
        ("4_0,inf,F", "age must be a number; level must be a number"),
        ("40,1e999,F", "level must be a number"),
    ],
)
def test_a_row_that_is_refused_is_told_in_words_and_reported_apart(row: str, said: str) -> None:
    service = Answering()

    _, scored = last(f"age,level,sex\n40,1,F\n{row}\n41,1,M\n".encode(), service)

    assert scored.faults == {1: said}
    assert sorted(scored.answers) == [0, 2]
    assert [each["age"] for each in service.pieces[0]] == [40, 41]
    assert [len(piece) for piece in service.reported] == [1]


def test_a_long_table_goes_in_pieces_and_says_how_far_it_is() -> None:
    service = Answering()
    rows = "".join(f"{i % 100 + 1},1,F\n" for i in range(2 * PIECE + 1))

    done = [
        done
        for done, _ in score(
            read_table(f"age,level,sex\n{rows}".encode()), WANTED, service, service.reported.append
        )
    ]

    assert done == [PIECE, 2 * PIECE, 2 * PIECE + 1]
    assert [len(piece) for piece in service.pieces] == [PIECE, PIECE, 1]


def test_the_table_comes_back_with_its_own_columns_and_the_answers() -> None:
    table, scored = last(b"id,age,level,sex\n007,40,,F\n008,-1,,F\n", Answering())

    text = write_table(table, scored, ["well", "ill"]).decode("utf-8-sig")

    first, second = csv.DictReader(io.StringIO(text))
    assert (first["id"], first["answer"], first["probability_ill"]) == ("007", "ill", "0.75")
    assert (first["prediction_id"], first["refused_because"]) == ("id-40", "")
    assert (second["id"], second["answer"]) == ("008", "")
    assert second["refused_because"] == "age must be between 0 and 120"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is no table of text"),
        (b"age,level,sex\n1,2\n", "row 1 has 2 cells, wanted 3 as in the header"),
        (b"age,level\n1,2\n", "the table has no column sex"),
    ],
)
def test_what_is_no_such_table_is_one_sentence(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        find_columns(read_table(content), FIELDS)


@pytest.mark.parametrize("header", ["mean radius", "Mean_Radius", "mean-radius", "MEAN RADIUS"])
def test_words_of_a_name_may_be_parted_by_anything(header: str) -> None:
    """Tables come with blanks where fields have underscores: scikit-learn's own, for one."""
    fields = (FieldSpec("mean_radius", "number", low=0, high=1),)

    assert find_columns(read_table(f"id,{header}\n1,2\n".encode()), fields) == {"mean_radius": 1}


def test_fields_that_differ_in_this_alone_are_taken_by_their_own_names() -> None:
    fields = tuple(FieldSpec(name, "number", low=0, high=1) for name in ("a b", "a_b"))

    assert find_columns(read_table(b"a_b,a b\n1,2\n"), fields) == {"a b": 1, "a_b": 0}
    with pytest.raises(DataError, match="has no column a b"):
        find_columns(read_table(b"a_b\n1\n"), fields)


def test_a_table_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "MOST_ROWS", 1)

    with pytest.raises(DataError, match="has 2 rows, wanted at most 1"):
        read_table(b"age\n1\n2\n")
