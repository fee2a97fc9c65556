"""Onboarding takes a survey's weight for one, and no body's."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from driftline.onboarding import onboard_table
from driftline.problem import Problem, parse_problem
from tests.support import tiny_rows

RNG = np.random.default_rng(1)
SAMPLED = np.round(RNG.lognormal(6, 1, 240), 4)


def onboard(**columns: Any) -> str:
    rows = tiny_rows().assign(**columns).astype(object)
    return onboard_table(rows, name="tiny", target="outcome", location="rows.csv").problem


def read(text: str) -> Problem:
    return parse_problem(text, name="tiny", file="data/problems/tiny.yaml")


@pytest.mark.parametrize(
    "name",
    ["sampling_weight", "Survey Weight", "pweight", "WTMEC2YR", "WTINT2YR", "_LLCPWT", "fnlwgt"],
)
def test_a_survey_s_weight_is_enabled_and_no_input(name: str) -> None:
    problem = read(onboard(**{name: SAMPLED}))

    assert problem.weight == name
    assert name in problem.ignored
    assert name not in problem.columns


@pytest.mark.parametrize(
    "name", ["weight", "wt", "weight_kg", "birth_weight", "Weight", "person_weight", "final_weight"]
)
@pytest.mark.parametrize(
    "values", [RNG.integers(45, 120, 240), np.round(RNG.normal(78, 12, 240), 1)]
)
def test_the_weight_of_a_body_is_an_input_and_nothing_is_proposed(name: str, values: Any) -> None:
    text = onboard(**{name: values})

    problem = read(text)
    assert problem.weight is None
    assert name in problem.columns
    assert "weight:" not in text.replace(f"{name}:", "")


@pytest.mark.parametrize(
    "values", [SAMPLED * 20, SAMPLED / SAMPLED.mean()], ids=["of people", "scaled to 1"]
)
def test_what_looks_like_a_weight_and_is_named_as_anything_is_proposed(values: Any) -> None:
    text = onboard(wt=np.round(values, 4))

    problem = read(text)
    assert problem.weight is None
    assert "wt" in problem.columns
    assert "# perhaps wt says how much each row counts" in text


def test_a_weight_that_some_rows_lack_is_left_out_and_proposed() -> None:
    zeros = np.where(np.arange(240) < 7, 0.0, SAMPLED)

    text = onboard(WTMEC2YR=zeros)

    problem = read(text)
    assert problem.weight is None
    assert "WTMEC2YR" in problem.ignored
    assert "7 rows have no positive number there" in text


def test_of_two_weights_neither_is_chosen() -> None:
    text = onboard(WTMEC2YR=SAMPLED, WTINT2YR=SAMPLED * 1.1)

    problem = read(text)
    assert problem.weight is None
    assert {"WTMEC2YR", "WTINT2YR"} <= set(problem.ignored)
    assert text.count("several columns are named so") == 2


def test_what_is_proposed_can_be_taken_up_as_it_stands() -> None:
    rows = pd.DataFrame({"wt": np.round(SAMPLED * 20, 4)})
    text = onboard(wt=rows["wt"])
    (line,) = [line for line in text.splitlines() if "perhaps wt" in line]

    keys = yaml.safe_load(line.partition("and ")[2])

    assert keys == {"weight": "wt"}
