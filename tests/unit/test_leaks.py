"""Columns that alone tell the target."""

import numpy as np
import pandas as pd
import pytest

from driftline.inference import guess_column
from driftline.leaks import LEAKING_RATIO, follow, suspect_leak
from driftline.target_guesses import guess_outcome

RNG = np.random.default_rng(0)


def test_a_word_that_stands_for_one_number_follows_it() -> None:
    rates = RNG.integers(0, 20, 600) / 2
    grades = [f"G{int(2 * rate):02d}" for rate in rates]

    assert follow(grades, [f"{rate + 5:g}" for rate in rates]) >= LEAKING_RATIO


def test_words_without_the_number_do_not_follow_it() -> None:
    words = RNG.choice(["a", "b", "c"], 600).tolist()
    unique = [f"w{i}" for i in range(600)]
    truth = [str(x) for x in RNG.normal(size=600)]

    assert follow(words, truth) < 0.2
    assert follow(unique, truth) == 0.0


@pytest.mark.parametrize(
    ("noise", "role", "told"),
    [(0.0, "ignored", "nearly perfectly"), (0.3, "input", "very well"), (3.0, "input", None)],
)
def test_a_column_is_left_out_or_told_by_how_well_it_tells_the_target(
    noise: float, role: str, told: str | None
) -> None:
    truth = RNG.integers(0, 2, 900)
    value = [f"{x:.3f}" for x in truth + noise * RNG.normal(size=900)]
    rows = pd.DataFrame({"value": value, "y": truth.astype(str)})
    target = guess_outcome("y", rows["y"].tolist(), source="t.csv")

    guess = suspect_leak(guess_column("value", value), rows, 1, target)

    assert guess.role == role
    assert (told or "") in guess.evidence
    assert ("known only afterwards?" in guess.evidence) == (told is not None)
