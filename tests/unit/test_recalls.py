import numpy as np

from driftline.metrics import Scored
from driftline.recalls import recall_by_class


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
