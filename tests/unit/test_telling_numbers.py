"""A number and its interval in sentences."""

from typing import Any

from driftline.telling import tell_answer, tell_contributions, tell_purpose, tell_quality

MODEL: dict[str, Any] = {
    "number": {"unit": "days", "range": [0, 60], "interval": {"coverage": 0.9, "reach": 2.0}},
    "risk_bands": {"medium": 5.0, "high": 10.0},
    "metrics": {"test_mae": 1.234, "test_interval_coverage": 0.91},
    "intervals": {"test_mae": [1.1, 1.4]},
    "fields": [{}, {}],
}
ANSWER: dict[str, Any] = {
    "prediction": 6.5,
    "interval": [4.5, 8.5],
    "coverage": 0.9,
    "risk_level": "medium",
    "model_version": "7",
}


def test_a_number_is_told_with_unit_interval_band_and_version() -> None:
    assert tell_answer(ANSWER, MODEL) == [
        "The answer is 6.5 days.",
        "In 90% of cases the truth lies between 4.5 and 8.5 days.",
        "That is medium (medium above 5 days, high above 10 days).",
        "It was answered by version 7 of the model.",
    ]


def test_bands_and_units_that_were_not_declared_are_not_told() -> None:
    plain = {key: value for key, value in ANSWER.items() if key != "risk_level"}
    model = MODEL | {"number": MODEL["number"] | {"unit": None}}

    assert tell_answer(plain, model)[:2] == [
        "The answer is 6.5.",
        "In 90% of cases the truth lies between 4.5 and 8.5.",
    ]


def test_its_quality_is_how_far_off_it_is_and_how_often_its_intervals_hold() -> None:
    assert tell_purpose(MODEL) == "It answers a number (days), from 2 fields."
    assert tell_quality(MODEL) == [
        "On average it was off by 1.234 days (95 % interval: 1.1 to 1.4).",
        "Its intervals held the truth in 91% of cases, wanted 90%.",
    ]


def test_what_moved_it_is_told_in_its_unit() -> None:
    explained = {
        "prediction": 6.5,
        "contributions": [
            {"field": "age", "typical": 41.0, "difference": 1.5},
            {"field": "sex", "typical": "F", "difference": 0.001},
        ],
    }

    assert tell_contributions(explained, MODEL, {"age": "years"}) == [
        ["age", "41 years", "up by 1.5 days"],
        ["sex", "F", "nothing"],
    ]
