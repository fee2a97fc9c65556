import pandas as pd
import pytest

from tests.support import make_problem
from tests.unit.raw import cleaned, raw_table, refusal


def test_columns_come_under_the_problems_names_in_its_order() -> None:
    raw = pd.DataFrame({"result": ["1"], "level": ["0.5"], "id": ["7"], "Age in years": ["40"]})

    table = cleaned(raw).table

    assert list(table.columns) == ["age", "level", "outcome"]
    assert table.iloc[0].tolist() == [40.0, 0.5, "ill"]


@pytest.mark.parametrize("written", ["\ufeffage", "age ", " age", "\tage", "Age  in   years "])
def test_a_header_with_marks_and_spaces_is_still_found(written: str) -> None:
    raw = raw_table().rename(columns={"age": written})

    table = cleaned(raw).table

    assert table["age"].tolist() == [40, 50]


def test_a_missing_column_is_named() -> None:
    message = refusal(raw_table().drop(columns="level"))

    assert message.startswith("rows.csv: columns are not as the problem file declares; ")
    assert "missing: 'level'" in message


def test_a_missing_target_is_named() -> None:
    assert "missing: 'outcome'" in refusal(raw_table().drop(columns="outcome"))


def test_a_renamed_column_is_named_with_what_it_may_be_now() -> None:
    message = refusal(raw_table().rename(columns={"level": "levels"}))

    assert "missing: 'level' (is it 'levels'? add an alias)" in message
    assert "unexpected: 'levels' (declare or ignore them)" in message


def test_an_unexpected_column_is_named() -> None:
    assert "unexpected: 'height'" in refusal(raw_table(height=["1", "2"]))


def test_of_very_many_or_long_names_no_more_are_shown_than_a_person_reads() -> None:
    many = raw_table(**{f"gene{i}": ["1", "2"] for i in range(500)}, **{"x" * 20_000: ["1", "2"]})

    message = refusal(many.drop(columns="level"))

    assert "unexpected: 'gene0', 'gene1'," in message
    assert "'gene19' and 481 more (declare or ignore them)" in message
    assert f"'{'x' * 60}...'" in refusal(raw_table(**{"x" * 20_000: ["1", "2"]}))


def test_the_cells_of_a_table_without_a_header_are_not_shown() -> None:
    message = refusal(pd.DataFrame([["51", "0.5", "1"]], columns=["Jane-Doe-1234", "0.7", "0"]))

    assert "Jane-Doe-1234" not in message
    assert message == (
        "rows.csv: got 3 columns and none that the problem file declares, "
        "wanted a first line that names 'age', 'level', 'outcome'"
    )


def test_a_column_given_twice_is_named_also_under_its_alias() -> None:
    message = refusal(raw_table(**{"Age in years": ["40", "50"]}))

    assert "given more than once: 'age'" in message


@pytest.mark.parametrize("written", ["AGE", "a_g_e", "age [years]"])
def test_a_name_that_differs_in_case_or_signs_is_offered_as_an_alias(written: str) -> None:
    message = refusal(raw_table().rename(columns={"age": written}))

    assert f"missing: 'age' (is it {written!r}? add an alias)" in message


def test_names_in_another_case_are_told_where_all_of_them_are() -> None:
    message = refusal(raw_table().rename(columns=str.upper))

    assert "missing: 'age' (is it 'AGE'? add an alias)" in message


def test_a_decomposed_header_is_the_composed_column() -> None:
    problem = make_problem(columns={"gr\u00f6\u00dfe": {}}, ignored=["n\u0061\u0308he"])
    raw = pd.DataFrame({"gro\u0308\u00dfe": ["1"], "n\u00e4he": ["x"], "outcome": ["0"]})

    assert cleaned(raw, problem).table["gr\u00f6\u00dfe"].tolist() == [1.0]
