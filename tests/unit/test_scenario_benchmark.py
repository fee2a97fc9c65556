"""The arithmetic of the scenario benchmark: what counts as harm, as an answer and as false."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from driftline.problem import parse_problem
from driftline.replay import Replay
from tests.benchmarks.decisions.champions import (
    Champion,
    classify_harm,
    is_visible,
    measure_harm,
    train_champion,
)
from tests.benchmarks.decisions.changes import (
    Scenario,
    concept_flip,
    key_moved,
    label_shift,
    no_change,
)
from tests.benchmarks.decisions.curve import at_level, best_share, curve_table, read_lives
from tests.benchmarks.decisions.lives import (
    Models,
    Stream,
    draw_history,
    live_labelled,
    live_unlabelled,
    probe_window,
    watch_levels,
)
from tests.benchmarks.decisions.populations import Population, make_population
from tests.benchmarks.decisions.rollback import exchange, labels_until_back
from tests.benchmarks.decisions.scenarios import plan_turns
from tests.benchmarks.decisions.streams import RealTable
from tests.benchmarks.decisions.tally import POLICY, Life, Share, false_shares, harmful

PROBLEM = """
title: two numbers
source: {kind: file, location: none.csv}
target: {name: ill, classes: {"no": [0], "yes": [1]}, positive: "yes"}
goal: {maximise: roc_auc}
columns: {age: {}, weight: {}}
"""
LIFE = Life(
    seed=0,
    table="two numbers",
    size=200,
    scenario="late labels",
    is_labelled=True,
    is_broken=False,
    delay=3,
    within=2,
    harms=(0.0, 0.0, 0.0, 0.9, 0.9),
    is_visible=False,
)
HARMED = (0.0, 0.0, 0.0, 0.9, 0.9)


@pytest.fixture(scope="module")
def champion() -> Champion:
    """Of people whose age decides, and whose weight does not matter."""
    rng = np.random.default_rng(0)
    age, weight = rng.normal(50, 10, 4000), rng.normal(70, 10, 4000)
    is_ill = rng.random(4000) < 1 / (1 + np.exp(-(age - 50) / 4))
    ill = np.where(is_ill, "yes", "no").astype(object)
    problem = parse_problem(PROBLEM, name="two_numbers", file="two_numbers.yaml")
    table = RealTable(
        "two numbers", problem, pd.DataFrame({"age": age, "weight": weight, "ill": ill})
    )
    return train_champion(make_population(table), rng)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.slow
def test_a_flipped_relation_is_harmful_and_the_inputs_do_not_show_it(champion: Champion) -> None:
    draw = concept_flip(champion.population, ["age"], rng())

    harm = measure_harm(champion, draw, 1.0, rng())

    assert classify_harm(harm, POLICY) == "harmful"
    assert not is_visible(draw, rng())


@pytest.mark.slow
def test_a_moved_key_column_is_harmful_and_seen(champion: Champion) -> None:
    draw = key_moved(champion.population, ["age"], rng())

    harm = measure_harm(champion, draw, 1.0, rng())

    assert classify_harm(harm, POLICY) == "harmful"
    assert is_visible(draw, rng())


@pytest.mark.slow
def test_what_the_model_does_not_use_may_move_without_harm(champion: Champion) -> None:
    for draw in (
        no_change(champion.population, ["age"], rng()),
        key_moved(champion.population, ["weight"], rng()),
    ):
        harm = measure_harm(champion, draw, 1.0, rng())

        assert classify_harm(harm, POLICY) == "harmless"


@pytest.mark.slow
def test_a_shifted_class_comes_three_times_as_often(champion: Champion) -> None:
    draw = label_shift(champion.population, ["age"], rng())

    before, after = (draw(20_000, strength, rng()).chance.mean() for strength in (0.0, 1.0))

    odds = after / (1 - after) / (before / (1 - before))
    assert max(odds, 1 / odds) == pytest.approx(3, rel=0.1)


def test_an_answer_is_counted_from_the_look_at_which_labels_came() -> None:
    at_once = replace(LIFE, verdicts=(*("ok",) * 6, "retrain"))
    second = replace(LIFE, verdicts=(*("ok",) * 7, "retrain"))
    late = replace(LIFE, verdicts=(*("ok",) * 8, "retrain"))

    assert LIFE.came == 7
    assert [life.response("retrain") for life in (at_once, second, late)] == [1, 2, 3]
    assert [life.is_answered("retrain") for life in (at_once, second, late)] == [True, True, False]


def test_without_labels_an_answer_is_counted_from_the_first_harmful_window() -> None:
    life = replace(LIFE, is_labelled=False, verdicts=("ok", "ok", "ok", "ok", "need_labels"))

    assert life.response("need_labels", "retrain") == 2


def test_a_retraining_before_any_harm_is_false_and_answers_nothing() -> None:
    life = replace(LIFE, verdicts=("ok", "ok", "retrain"))

    assert life.response("retrain") is None
    assert false_shares([life], "retrain") == Share(1, 3)
    assert harmful([life]) == []


def test_harmless_windows_end_where_the_first_window_with_harm_begins() -> None:
    slight = replace(LIFE, harms=(0.0, 0.0, 0.1, 0.1), verdicts=("ok",) * 4)

    assert slight.kind == "slight"
    assert false_shares([slight], "retrain") == Share(0, 2)


def test_a_new_model_that_earns_its_cost_back_over_as_many_looks_is_of_use() -> None:
    looks = ("ok", "ok", "retrain")

    assert replace(LIFE, verdicts=looks, saved=POLICY.cost / 2).is_worth_it
    assert not replace(LIFE, verdicts=looks, saved=POLICY.cost / 4).is_worth_it


@pytest.mark.slow
def test_every_scenario_meets_every_table_and_size(champion: Champion) -> None:
    names = ("a", "b", "c", "d", "e")
    many = [replace(champion.population, name=name, rows=100_000) for name in names]
    sizes = (50, 200, 2_000, 20_000)

    met = {
        (turn.scenario.name, turn.population.name, turn.size)
        for seed in range(60)
        for turn in plan_turns(seed, many, sizes)
        if turn.scenario.is_labelled
    }

    assert len(met) == 12 * len(names) * len(sizes)


@pytest.mark.slow
def test_a_much_worse_model_is_taken_back_early_and_an_equal_one_stays(
    champion: Champion,
) -> None:
    problem, draws = champion.population.problem, rng()
    worse = draws.normal(0.2, 0.2, 2000)

    assert labels_until_back(worse, problem) == 100
    assert labels_until_back(exchange(worse, draws), problem) is None


@pytest.mark.slow
def test_a_population_of_one_table_has_the_rates_of_its_table(champion: Champion) -> None:
    population: Population = champion.population

    drawn, _ = population.draw(20_000, rng())

    assert drawn.with_outcomes(population.problem, rng())["ill"].eq("yes").mean() == pytest.approx(
        population.people.chance.mean(), abs=0.02
    )


def life(*levels: float, harms: tuple[float, ...] = HARMED, sureness: float = 2.0) -> Life:
    return replace(
        LIFE, scenario="concept flip", delay=0, harms=harms, levels=levels, sureness=sureness
    )


def test_the_first_look_that_convinces_a_level_is_the_last_of_its_life() -> None:
    lived = life(1.0, 0.3, 1.0, 0.04, 0.001)

    assert at_level(lived, 0.5).verdicts == ("ok", "retrain")
    assert at_level(lived, 0.05).verdicts == ("ok", "ok", "ok", "retrain")
    assert at_level(lived, 0.01).verdicts == ("ok",) * 4 + ("retrain",)
    assert at_level(lived, 0.0001).verdicts == ("ok",) * 5


def test_the_best_test_is_sure_at_its_own_level() -> None:
    lives = [life(sureness=1.0), life(sureness=2.0), life(sureness=3.0)]

    assert best_share(lives, 0.05).count == 2
    assert best_share(lives, 0.01).count == 1


def test_the_curve_is_read_from_what_a_run_wrote(tmp_path: Path) -> None:
    quiet = life(1.0, 0.2, 1.0, 1.0, 1.0, harms=(0.0,) * 5)
    lives = [life(1.0, 1.0, 1.0, 0.04, 0.001), quiet]
    path = tmp_path / "lives.json"
    path.write_text(json.dumps([asdict(each) for each in lives]), encoding="utf-8")

    console = Console(width=150, record=True, file=(tmp_path / "shown").open("w"))
    console.print(curve_table(read_lives(path)))

    lines = [line.split("│")[2:] for line in console.export_text().splitlines() if line[0] == "│"]
    rows = {level.split()[0]: [cell.split()[0] for cell in cells[:2]] for level, *cells in lines}
    assert rows["0.0001"] == ["0.0%", "0.0%"]
    assert rows["0.2"] == ["20.0%", "100.0%"]


@pytest.mark.slow
def test_levels_are_those_at_which_the_verdicts_retrain(champion: Champion) -> None:
    rng = np.random.default_rng(5)
    scenario = Scenario("concept flip", concept_flip)
    draw = concept_flip(champion.population, ["age"], rng)
    stream = Stream(champion, scenario, draw, 50, (0.0, 0.0, 1.0, 1.0, 1.0))
    history = draw_history(stream, rng)
    models = Models(history, champion, probe_window)

    verdicts, saved = live_labelled(stream, history, models, rng)
    levels = watch_levels(stream, Replay(history, models))

    assert len(levels) == 5
    assert verdicts[-1] == "retrain"
    assert saved is not None
    alpha = history.problem.drift.false_retrains
    assert [level <= alpha for level in levels[: len(verdicts)]] == [
        verdict == "retrain" for verdict in verdicts
    ]


@pytest.mark.slow
def test_the_strongest_evidence_has_the_lowest_level(champion: Champion) -> None:
    rng = np.random.default_rng(5)
    draw = concept_flip(champion.population, ["age"], rng)
    stream = Stream(champion, Scenario("concept flip", concept_flip), draw, 8_000, (1.0,) * 3)
    history = draw_history(stream, rng)

    levels = watch_levels(stream, Replay(history, Models(history, champion, probe_window)))

    assert levels == (0.0,)


@pytest.mark.slow
def test_a_life_without_labels_is_judged_as_production_does(champion: Champion) -> None:
    rng = np.random.default_rng(6)
    scenario = Scenario("concept flip", concept_flip, is_labelled=False)
    draw = concept_flip(champion.population, ["age"], rng)
    stream = Stream(champion, scenario, draw, 200, (0.0, 0.0))

    verdicts = live_unlabelled(stream, draw_history(stream, rng))

    assert verdicts == ("ok", "ok")
