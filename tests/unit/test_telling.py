from typing import Any

import pytest

from driftline.telling import percent, points, tell_answer, tell_contributions, tell_quality

MODEL: dict[str, Any] = {
    "classes": ["well", "ill"],
    "positive": ["ill"],
    "threshold": 0.4,
    "miss_costs": {},
    "risk_bands": {"medium": 0.3, "high": 0.7},
    "metrics": {"test_recall": 0.93, "test_accuracy": 1.0},
    "intervals": {"test_recall": [0.88, 0.97]},
}
ANSWER: dict[str, Any] = {
    "label": "ill",
    "confidence": 0.75,
    "probability": {"well": 0.25, "ill": 0.75},
    "risk_level": "high",
    "model_version": "7",
}


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.5, "50 %"), (0.123, "12.3 %"), (0, "less than 0.1 %"), (1, "more than 99.9 %")],
)
def test_no_percentage_claims_to_be_certain(share: float, said: str) -> None:
    assert percent(share) == said


def test_an_answer_tells_probability_band_threshold_and_version() -> None:
    assert tell_answer(ANSWER, MODEL) == [
        "The answer is ill, with a probability of 75 %.",
        "The risk is high: 75 % for ill (medium above 30 %, high above 70 %).",
        "It answers ill from a probability of 40 % on.",
        "It was answered by version 7 of the model.",
    ]


def test_an_answer_without_bands_or_threshold_tells_none() -> None:
    model = MODEL | {"positive": [], "threshold": None, "miss_costs": {"well": 0.1, "ill": 1.0}}

    told = tell_answer(ANSWER | {"risk_level": None}, model)

    assert told[1:-1] == ["It weighs each class by what it costs to miss it."]


def test_an_answer_by_the_costs_of_each_answer_says_so() -> None:
    matrix = {"well": {"ill": 0.1}, "ill": {"well": 1.0}}
    model = MODEL | {"positive": [], "threshold": None, "cost_matrix": matrix}

    told = tell_answer(ANSWER | {"risk_level": None}, model)

    assert told[1:-1] == ["It is the answer that is expected to cost the least."]


def test_quality_is_told_of_unseen_rows_with_its_interval_where_it_is_known() -> None:
    assert tell_quality(MODEL) == [
        "Of those that were ill, it found 93 % (95 % interval: 88 % to 97 %).",
        "Of all its answers, more than 99.9 % were right.",
    ]


def test_quality_of_three_classes_is_told_in_their_terms() -> None:
    model = MODEL | {"classes": ["a", "b", "c"], "metrics": {"test_lowest_recall": 0.5}}

    assert tell_quality(model) == ["Of the class that it finds least, it found 50 %."]


@pytest.mark.parametrize(
    ("difference", "said"),
    [(0.123, "up by 12.3 points"), (-0.5, "down by 50.0 points"), (0.0005, "nothing")],
)
def test_a_difference_is_told_in_points(difference: float, said: str) -> None:
    assert points(difference) == said


def test_what_moved_an_answer_is_told_beside_what_is_typical() -> None:
    moved = [
        {"field": "age", "typical": 41, "difference": 0.2},
        {"field": "level", "typical": 0.5, "difference": -0.1},
        {"field": "sex", "typical": "F", "difference": 0.0},
    ]

    rows = tell_contributions({"contributions": moved}, MODEL, {"age": "years", "level": None})

    assert rows == [
        ["age", "41 years", "up by 20.0 points"],
        ["level", "0.5", "down by 10.0 points"],
        ["sex", "F", "nothing"],
    ]
