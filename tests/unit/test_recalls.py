import numpy as np

from driftline.metrics import Scored
from driftline.recalls import confusion_by_name, recall_by_class, shares_off_by, tell_unfound


def test_each_class_tells_how_many_of_its_rows_are_found() -> None:
    y, predicted = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    scored = Scored(y, np.zeros((6, 3)), predicted, None, None)

    a, b, c = recall_by_class(scored, ("a", "b", "c"))

    assert (a.name, a.rows, a.recall) == ("a", 4, 0.75)
    assert (b.name, b.rows, b.recall) == ("b", 2, 1.0)
    assert (c.rows, c.low, c.high) == (0, 0.0, 1.0)


def test_a_handful_of_rows_that_are_all_found_prove_little() -> None:
    """Wilson's interval of 7 of 7 goes down to 0.65; a bootstrap would say exactly 1."""
    scored = Scored(np.zeros(7, dtype=int), np.zeros((7, 2)), np.zeros(7, dtype=int), None, None)

    found = recall_by_class(scored, ("a", "b"))[0]

    assert round(found.low, 2) == 0.65
    assert found.high == 1.0


def test_it_is_told_which_class_is_answered_instead_and_how_far_off_that_is() -> None:
    y, predicted = np.array([0, 0, 1, 2, 2]), np.array([0, 2, 1, 1, 2])
    weights = np.array([1.0, 1.0, 1.0, 2.0, 5.0])
    scored = Scored(y, np.zeros((5, 3)), predicted, None, None, weights)

    assert confusion_by_name(scored, ("none", "some", "much")) == {
        "none": {"none": 1, "some": 0, "much": 1},
        "some": {"none": 0, "some": 1, "much": 0},
        "much": {"none": 0, "some": 1, "much": 1},
    }
    assert shares_off_by(scored, 3) == [0.7, 0.2, 0.1]


def test_a_model_that_never_says_yes_is_told_in_a_sentence() -> None:
    """Ranked by ROC AUC alone it is fine, and at its threshold it finds nobody."""
    p = np.array([0.1, 0.2, 0.3, 0.4])
    y, no = np.array([0, 0, 0, 1]), np.zeros(4, dtype=int)

    (told,) = tell_unfound(Scored(y, np.column_stack([1 - p, p]), no, 1, 0.5), ("no", "yes"))

    assert told == (
        "it never says yes: of 4 test rows, 1 of which are yes, none that is yes reaches the "
        "threshold 0.5; go by its probabilities rather than by its answers"
    )


def test_a_class_that_is_said_of_others_alone_is_told_too() -> None:
    y, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 0, 2])
    scored = Scored(y, np.zeros((4, 4)), predicted, None, None)

    (told,) = tell_unfound(scored, ("a", "b", "c", "absent"))

    assert told.startswith("it says b of others alone: of 4 test rows, 1 of which are b, none that")


def test_of_a_model_that_finds_some_of_each_nothing_is_told() -> None:
    y = np.array([0, 1, 1])

    assert tell_unfound(Scored(y, np.zeros((3, 2)), np.array([0, 0, 1]), 1, 0.5), ("a", "b")) == []
