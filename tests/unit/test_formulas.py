"""Formulas: what they may hold, and that a row and many rows give the same bits."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.computed import Computed, FeatureSpec
from driftline.formulas import MOST_CHARACTERS, FormulaError, read_formula

NUMBERS = st.one_of(
    st.floats(allow_infinity=False),  # nan is a missing value
    st.integers(-3, 3).map(float),
)
LEAVES = st.sampled_from(["a", "b", "'c [kg/m2]'", "2", "0.1", "-3", "0"])


def _nest(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "**"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds("{}({})".format, st.sampled_from(["log", "log1p", "sqrt", "abs", "-"]), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
        st.builds("bins({}, [-1, 0.5, 2])".format, inner),
    )


FORMULAS = st.recursive(LEAVES, _nest, max_leaves=8).map("a * 0 + {}".format)


def compute(formula: str, **values: float) -> float:
    return FeatureSpec("x", formula).compute(values)


@given(FORMULAS, st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=30))
@example("a / b", [(1.0, 0.0, 0.0), (0.1, 3.0, 0.0), (-0.0, 5.0, 1.0)])
@example("min(a, b)", [(0.0, -0.0, 0.0), (-0.0, 0.0, 0.0)])
def test_a_row_and_many_rows_give_the_same_float32_bits(
    formula: str, rows: list[tuple[float, float, float]]
) -> None:
    feature = FeatureSpec("x", formula)
    names = ("a", "b", "c [kg/m2]")

    one_by_one = [feature.compute(dict(zip(names, row, strict=True))) for row in rows]
    columns = dict(zip(names, np.array(rows).T, strict=True))
    at_once = feature.compute_rows(columns, len(rows))

    bits = [np.array(found, dtype=np.float32) for found in (one_by_one, at_once)]
    assert [x.tobytes() for x in map(np.nan_to_num, bits)] == [np.nan_to_num(bits[0]).tobytes()] * 2
    assert np.array_equal(np.isnan(bits[0]), np.isnan(bits[1]))
    assert not np.isinf(bits[0]).any()


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("a / b ** 2", 70 / 1.75**2),
        ("-a + 2 * (b - 1)", -68.5),
        ("log(a)", math.log(70)),
        ("log1p(b)", math.log1p(1.75)),
        ("sqrt(abs(1 - a))", math.sqrt(69)),
        ("min(a, b, 1)", 1),
        ("max(a, b)", 70),
        ("bins(a, [18, 40, 70])", 3),
        ("bins(a, [18, 40, 70.5])", 2),
        ("bins(b, [-1, 18])", 1),
        ("days(b, a)", 68.25),
    ],
)
def test_each_operation_is_what_it_is_called(formula: str, wanted: float) -> None:
    assert compute(formula, a=70.0, b=1.75) == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize(
    "formula",
    ["a / b", "log(b)", "log(-a)", "log1p(-a)", "sqrt(-a)", "(-a) ** 0.5", "b ** -1", "a * 1e308",
     "1e200 ** a", "a + m", "m ** 0", "min(m, a)", "max(a, m)", "bins(m, [1])", "abs(m)",
     "a * 1e38"],
)  # fmt: skip
def test_what_is_undefined_missing_or_beyond_float32_is_missing(formula: str) -> None:
    assert math.isnan(compute(formula, a=70.0, b=0.0, m=math.nan))


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("__import__('os').getcwd()", "got \"__import__('os').getcwd()\", wanted numbers, columns"),
        ("a.real", "got 'a.real'"),
        ("a[0]", "got 'a[0]'"),
        ("[a for a in b]", "wanted numbers, columns"),
        ("a if b else c", "wanted numbers, columns"),
        ("a < b", "wanted numbers, columns"),
        ("a // b", "wanted numbers, columns"),
        ("exp(a)", "got 'exp(a)'"),
        ("log(a, base=2)", "wanted numbers, columns"),
        ("min(*a)", "got 1 values, wanted two or more"),
        ("log(a, b)", "log: got 2 values, wanted 1"),
        ("a + True", "got 'True'"),
        ("a + 1j", "got '1j'"),
        ("a + 1e999", "a number that is not finite"),
        ("1 + 2", "names no column"),
        ("a +", "wanted a formula of numbers"),
        ("", "wanted a formula of numbers"),
        ("a; b", "wanted a formula of numbers"),
        ("bins(a, [2, 1])", "bins: got [2, 1], wanted bounds that rise"),
        ("bins(a, [])", "wanted bounds that rise"),
        ("bins(a, [b, 1])", "wanted bounds that rise"),
        ("bins(a, 1)", "wanted bounds that rise"),
        ("days(a + b, c)", "days: got something else than two columns of dates"),
        ("-" * 100 + "a", "operations within each other"),
        ("~" * 490 + "a", "operations within each other"),
        ("a" + " + a" * 200, f"wanted at most {MOST_CHARACTERS}"),
        ("(" * 220 + "a" + ")" * 220, "wanted a formula of numbers"),
    ],
)
def test_what_no_formula_may_hold_is_said_in_one_sentence(formula: str, said: str) -> None:
    with pytest.raises(FormulaError) as refused:
        read_formula(formula)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("refuse", "values", "faults"),
    [
        (True, {"a": 1.0, "b": 0.0}, [("a", "leaves x undefined (a / b)", "undefined")]),
        (True, {"a": math.nan, "b": 0.0}, []),
        (True, {"a": 1.0, "b": 2.0}, []),
        (False, {"a": 1.0, "b": 0.0}, []),
    ],
)
def test_only_what_is_undefined_of_values_that_are_there_is_refused(
    refuse: bool,
    values: dict[str, Any],
    faults: list[tuple[str, str, str]],
) -> None:
    computed = Computed((FeatureSpec("x", "a / b", refuse=refuse),), ())

    _, found = computed.compute(values)

    assert [(fault.field, fault.problem, fault.kind) for fault in found] == faults
