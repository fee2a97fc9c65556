"""What counts as the same number where a graph and a pipeline round otherwise."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftline.answers import answers_of
from driftline.dataset import draft_contract
from driftline.export import check_parity, export_onnx, score_onnx
from driftline.number_parity import NumberParity, compare_numbers
from driftline.regressors import REGRESSORS
from tests.unit.test_number_training import progression

REAL = [name for name in REGRESSORS if name != "dummy"]


def column(*values: float) -> NDArray[np.float64]:
    return np.array(values).reshape(-1, 1)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_gap_counts_by_the_spread_and_not_by_the_size_of_the_answers(sign: float) -> None:
    """Of answers about 1e6 that are 2 apart, 0.5 is a quarter, though 5e-7 of the largest."""
    answers = sign * column(999_999, 1_000_000, 1_000_001)

    parity = compare_numbers(answers, answers + 0.5)

    assert parity.max_relative_difference == pytest.approx(0.25)
    assert not parity.is_kept
    assert parity.gap.startswith("largest difference 2.5e-01 of the answers' spread, wanted")


def test_a_few_float32_steps_are_allowed_where_the_spread_is_hardly_more() -> None:
    answers = column(999_999, 1_000_001)
    step = float(np.spacing(np.float32(1_000_001)))

    assert compare_numbers(answers, answers + 4 * step).is_kept
    assert not compare_numbers(answers, answers + 5 * step).is_kept


@pytest.mark.parametrize("values", [(5.0, 5.0, 5.0), (0.0, 0.0), ()])
def test_answers_without_a_spread_are_compared_too(values: tuple[float, ...]) -> None:
    same = compare_numbers(column(*values), column(*values))

    assert same == NumberParity(len(values), 0.0, same.allowed_relative_difference)
    assert same.is_kept
    if values:
        assert not compare_numbers(column(*values), column(*values) + 1e-3).is_kept


@pytest.mark.parametrize("name", REAL)
def test_an_export_tells_apart_what_its_pipeline_does_beside_a_large_offset(name: str) -> None:
    """A forest's hundred trees of about 1e6 each were summed in float32, and off by a deviation."""
    _, rows = progression()
    y = rows.data.y_train / np.std(rows.data.y_train) + 1e6
    model = REGRESSORS[name].build(REGRESSORS[name].defaults, 0).fit(rows.data.X_train, y)
    fitted = answers_of(model, rows.data.X_test)

    exported = score_onnx(export_onnx(model, rows.data.X_test.shape[1]), rows.data.X_test)

    assert compare_numbers(fitted, exported).is_kept
    assert np.abs(fitted - exported).max() < 0.1 * np.std(fitted)


def test_a_model_that_is_off_beside_a_large_offset_is_noticed() -> None:
    problem, rows = progression()
    ridge = REGRESSORS["ridge"]
    y = rows.data.y_train / np.std(rows.data.y_train) + 1e6
    one, other = (
        ridge.build({"alpha": alpha}, 0).fit(rows.data.X_train, y) for alpha in (1.0, 300.0)
    )
    contract = draft_contract(problem)

    parity = check_parity(one, export_onnx(other, 10), rows.data.X_test, contract)

    assert not parity.is_kept
