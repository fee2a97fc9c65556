"""What is made up fits the problem that it stands for, as the real table does."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftline.cleaning import CleanTable, clean, faults_of_values
from driftline.dataset import encode_rows, encode_target
from driftline.errors import SourceError
from driftline.problem import Problem, SyntheticSource
from tasks.data.problems import list_problems, read_problem
from tasks.reading.sources import read_source
from tasks.reading.synthetic.diabetes_risk import SHARES
from tasks.reading.synthetic.generators import GENERATORS, generate_rows
from tests.support import shared_data


def made_up() -> list[str]:
    """The problems of the project whose rows are made up."""
    problems = [read_problem.fn(name) for name in list_problems()]
    return [each.name for each in problems if isinstance(each.source, SyntheticSource)]


def read(problem: Problem, source: str | None = None) -> CleanTable:
    raw, name, _ = read_source.fn(problem, source)
    return clean(raw, problem, source=name, with_target=True)


def synthetic(name: str, rows: int | None = None, seed: int = 0) -> SyntheticSource:
    return SyntheticSource(kind="synthetic", name=name, rows=rows, seed=seed)


def test_each_generator_is_some_problems_source() -> None:
    sources = [read_problem.fn(name).source for name in made_up()]

    assert {source.name for source in sources if isinstance(source, SyntheticSource)} == set(
        GENERATORS
    )


@pytest.mark.parametrize("name", GENERATORS)
def test_a_seed_makes_the_same_rows_each_time_and_another_makes_others(name: str) -> None:
    first, _ = generate_rows(synthetic(name, rows=300))
    again, _ = generate_rows(synthetic(name, rows=300))
    other, _ = generate_rows(synthetic(name, rows=300, seed=1))

    pd.testing.assert_frame_equal(first, again)
    assert len(first) == 300
    assert not first.equals(other)


@pytest.mark.parametrize("name", made_up())
def test_no_row_that_is_made_up_breaks_its_problem(name: str) -> None:
    problem = read_problem.fn(name)

    cleaned = read(problem)

    assert not faults_of_values(cleaned, problem)
    assert set(cleaned.table[problem.target.name]) == set(problem.classes)


@pytest.mark.parametrize("name", GENERATORS)
def test_rows_that_are_made_up_say_so_where_they_are_shown(name: str) -> None:
    _, told = generate_rows(synthetic(name, rows=40, seed=7))

    assert told == f"40 synthetic rows (generator {name}, seed 7)"


def test_an_unknown_generator_is_told_with_those_that_are_known() -> None:
    with pytest.raises(
        SourceError, match="got 'weather', wanted a generator: one of diabetes_risk, m"
    ):
        generate_rows(synthetic("weather"))


# The real tables, where they are


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "missing"), [("clean", 0), ("original-headers", 0), ("missing-cells", 29)]
)
def test_the_published_answers_fit_as_they_are_written(file: str, missing: int) -> None:
    """Misspelt headers, a byte-order mark, blanks after a value, empty cells."""
    problem = read_problem.fn("mental_health")
    source = str(shared_data("mental_health", f"{file}.csv"))

    cleaned = read(problem, source)

    assert len(cleaned.table) == 120
    assert int(cleaned.table.isna().to_numpy().sum()) == missing
    assert not faults_of_values(cleaned, problem)


@pytest.mark.data
def test_the_survey_fits_as_its_codes_are(tmp_path: Path) -> None:
    """All ten years of it, with the codes of the earlier ones and of the later."""
    path = shared_data("diabetes_risk", "brfss_2015_2024_20k_per_year.parquet")
    problem = read_problem.fn("diabetes_risk")
    survey = pd.read_parquet(path).sample(5000, random_state=0)
    survey.to_parquet(tmp_path / "survey.parquet")

    cleaned = read(problem, str(tmp_path / "survey.parquet"))

    shares = cleaned.table["diabetes"].value_counts(normalize=True)
    assert not faults_of_values(cleaned, problem)
    assert shares["none"] == pytest.approx(SHARES[0], abs=0.03)
    assert shares["diabetes"] == pytest.approx(SHARES[2], abs=0.03)


@pytest.mark.data
def test_a_model_of_made_up_answers_knows_the_published_ones() -> None:
    """What is imitated is how each diagnosis leans: else it would find no more than a quarter."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    problem = read_problem.fn("mental_health")
    ours = read(problem).table
    theirs = read(problem, str(shared_data("mental_health", "clean.csv"))).table
    model = make_pipeline(SimpleImputer(strategy="median"), LogisticRegression(max_iter=2000))

    model.fit(encode_rows(ours, problem), encode_target(ours, problem))
    found = model.predict(encode_rows(theirs, problem))

    assert np.mean(found == encode_target(theirs, problem)) > 0.7
