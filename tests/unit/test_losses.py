import numpy as np
import pytest

from driftline.losses import largest_loss, row_losses


def test_two_classes_count_the_positive_class_once() -> None:
    losses = row_losses(np.array([[0.2, 0.8], [0.2, 0.8]]), np.array([1, 0]), "brier")

    assert losses == pytest.approx([0.04, 0.64])


def test_more_classes_are_summed() -> None:
    losses = row_losses(np.array([[0.2, 0.3, 0.5]]), np.array([2]), "brier")

    assert losses == pytest.approx([0.04 + 0.09 + 0.25])


def test_a_log_loss_is_cut_where_one_row_would_decide_everything() -> None:
    losses = row_losses(np.array([[1.0, 0.0]]), np.array([1]), "log_loss")

    assert losses == pytest.approx([largest_loss("log_loss", 2)])


def test_an_error_goes_by_the_decisions_where_they_are_given() -> None:
    p, y = np.array([[0.7, 0.3]]), np.array([1])

    assert row_losses(p, y, "error") == [1.0]
    assert row_losses(p, y, "error", predicted=np.array([1])) == [0.0]


@pytest.mark.parametrize(("metric", "classes"), [("brier", 2), ("brier", 4), ("error", 3)])
def test_no_row_costs_more_than_the_largest_loss(metric: str, classes: int) -> None:
    p = np.eye(classes)
    y = (np.arange(classes) + 1) % classes

    assert row_losses(p, y, metric).max() == largest_loss(metric, classes)  # type: ignore[arg-type]
