from typing import Any

import pytest

from bentos.log.rows import PREDICTION, check_types, prediction_rows
from tests.bentos.log.spooling import columns, entry


def test_an_entry_becomes_one_row_per_prediction() -> None:
    one = {"id": "a", "inputs": {"x": None}, "prediction": 1, "label": "ill"}
    one |= {"probabilities": [0.25, 0.75], "confidence": 0.75, "risk": "high"}
    entry = {"time": 0.5, "problem": "p", "version": "7", "predictions": [one, one | {"id": "b"}]}

    first, second = prediction_rows(entry)

    assert (first["id"], second["id"]) == ("a", "b")
    assert first["inputs"] == '{"x":null}'
    assert first["probabilities"] == "[0.25,0.75]"
    assert first["answered_at"].isoformat() == "1970-01-01T00:00:00.500000"
    assert (first["problem"], first["model_version"], first["risk_level"]) == ("p", "7", "high")


def test_an_entry_of_columns_becomes_the_rows_that_single_ones_become() -> None:
    alone = entry("a", "b") | {"time": 1.5}

    rows = prediction_rows(columns("a", "b") | {"time": 1.5})

    check_types(rows, PREDICTION)
    assert rows == prediction_rows(alone)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", 1),
        ("prediction", True),
        ("prediction", 1.0),
        ("confidence", False),
        ("confidence", "0.5"),
        ("answered_at", "today"),
        ("inputs", {}),
    ],
)
def test_one_value_of_another_type_among_many_is_noticed(column: str, value: Any) -> None:
    rows = prediction_rows(entry("a", "b", "c"))
    check_types(rows, PREDICTION)
    check_types([row | {"risk_level": None, "confidence": 1} for row in rows], PREDICTION)

    rows[1] = rows[1] | {column: value}

    with pytest.raises(TypeError, match=column):
        check_types(rows, PREDICTION)
