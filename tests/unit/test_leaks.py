"""Columns that alone tell the target."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from driftline.inference import guess_column
from driftline.leaks import LEAKING_RATIO, follow, read_classes, read_truth, suspect_leak
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

    guess = suspect_leak(guess_column("value", value), read_truth(rows, 1, target))

    assert guess.role == role
    assert (told or "") in guess.evidence
    assert ("known only afterwards?" in guess.evidence) == (told is not None)


@pytest.mark.parametrize("classes", [2, 5])
def test_a_column_tells_the_classes_apart_as_a_cross_validated_tree_does(classes: int) -> None:
    """The rows and folds of the target are read once for all columns, and say the same of each."""
    y = RNG.integers(0, classes, 400)
    x = (y + RNG.normal(size=400)).round(2)
    truth = [f"c{label}" if place % 50 else "" for place, label in enumerate(y)]
    kept = np.arange(400) % 50 != 0
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, random_state=0)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    column = x[kept].reshape(-1, 1)
    answers = cross_val_predict(tree, column, y[kept], cv=folds, method="predict_proba")
    wanted = np.mean([roc_auc_score(y[kept] == k, answers[:, k]) for k in range(classes)])

    told = read_classes(truth).tell_apart([f"{value:g}" for value in x])

    assert told == pytest.approx(wanted)
