import pandas as pd
import pytest

from driftline.errors import DataError
from driftline.labelling import describe_unusable, read_labels
from driftline.problem import Problem
from tests.support import STAY, make_problem


def test_a_class_may_be_given_by_name_or_source_value(problem: Problem) -> None:
    rows = pd.DataFrame({"id": ["a", "b", "c", "d"], "outcome": ["ill", "1", "0.0", "well "]})

    read = read_labels(rows, problem, source="labels.csv")

    assert read.pairs == (("a", "ill"), ("b", "ill"), ("c", "well"), ("d", "well"))
    assert read.unusable == 0


def test_rows_without_an_id_or_a_class_are_counted(problem: Problem) -> None:
    rows = pd.DataFrame({"prediction_id": ["a", None, "c"], "label": ["2", "ill", None]})

    read = read_labels(rows, problem, source="labels.csv")

    assert (read.pairs, read.unusable) == ((), 3)


@pytest.mark.parametrize(
    "names", [("PREDICTION_ID", "LABEL"), (" Id ", "Label"), ("iD", "outcome")]
)
def test_our_own_names_are_meant_in_any_case(names: tuple[str, str], problem: Problem) -> None:
    rows = pd.DataFrame([["a", "ill"]], columns=list(names))

    assert read_labels(rows, problem, source="labels.csv").pairs == (("a", "ill"),)


def test_a_name_that_the_problem_ignores_is_not_taken_for_ours() -> None:
    problem = make_problem(ignored=["ID"])
    rows = pd.DataFrame([["a", "7", "ill"]], columns=["prediction_id", "ID", "label"])

    assert read_labels(rows, problem, source="labels.csv").pairs == (("a", "ill"),)


def test_rows_without_a_label_are_told_with_what_is_one(problem: Problem) -> None:
    counts = {"new": 1, "same": 0, "unusable": 2}

    told = describe_unusable(counts, problem)

    assert told == (
        "2 of 3 rows: no id, or a label that is not one of its classes (wanted 0 or well, 1 or ill)"
    )


def test_rows_without_a_number_are_told_with_its_range() -> None:
    told = describe_unusable({"unusable": 2}, make_problem(STAY, "stay"))

    assert told == "2 of 2 rows: no id, or a label that is not a number between 0 and 60"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            ["Prediction Id", "label"],
            "labels.csv: got 0 columns named 'prediction_id' or 'id', wanted one (is it 'Pred",
        ),
        (["label"], "labels.csv: got 0 columns named 'prediction_id' or 'id', wanted one"),
        (["id", "x"], "labels.csv: got 0 columns named 'label' or 'outcome', wanted one"),
        (["id", "label", "outcome"], "labels.csv: got 2 columns named 'label' or 'outcome'"),
        (
            ["prediction_id", "label", "probability_ill"],
            "labels.csv: unexpected: 'probability_ill'",
        ),
    ],
)
def test_a_file_that_may_be_no_file_of_labels_is_refused(
    columns: list[str], message: str, problem: Problem
) -> None:
    """Scores have a column `label` too: to take them for the truth would prove any model right."""
    with pytest.raises(DataError) as raised:
        read_labels(pd.DataFrame(columns=columns), problem, source="labels.csv")

    assert str(raised.value).startswith(message)
