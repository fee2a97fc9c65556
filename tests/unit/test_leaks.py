"""Columns that alone tell the target."""

import numpy as np

from driftline.leaks import LEAKING_RATIO, follow

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
