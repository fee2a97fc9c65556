"""Champions of populations, and how much a change harms them: measured, never assumed.

The rule: harm is what the champion loses more per answer than models of its own recipe that learnt
from as many rows after the change, as a share of the champion's skill. A change is harmless below
the policy's `cost`, harmful from its `harm` on, and slight in between.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from driftline.dataset import draft_contract, encode_target
from driftline.evaluation import make_folds
from driftline.export import export_onnx
from driftline.importance import measure_use
from driftline.probe import answer
from driftline.problem import DriftPolicy
from driftline.promise import OutOfFold, Promise, Recipe, make_promise
from driftline.served import ServedModel
from tests.benchmarks.decisions.changes import no_change
from tests.benchmarks.decisions.populations import Draw, People, Population

RECIPE = Recipe("logistic_regression", {"C": 0.1})
REFERENCE_ROWS = 3000
FOLDS = 3
KEYS = 3
JUDGED_ROWS = 3000
RENEWED_MODELS = 2
COMPARED_ROWS = 2000
VISIBLE_AREA = 0.55  # under the ROC curve of whoever tells rows before and after apart

Harm = Literal["harmless", "slight", "harmful"]


@dataclass(frozen=True)
class Champion:
    """A fitted model, the rows it learnt from as they came and encoded, and what it promised."""

    population: Population
    reference: pd.DataFrame
    X: np.ndarray
    y: np.ndarray
    model: Any
    promise: Promise
    out_of_fold: OutOfFold
    unchanged: float = 0.0  # its harm where nothing has changed: what it is worse by luck

    @property
    def keys(self) -> list[str]:
        """The columns it relies on most."""
        use = self.promise.use
        return sorted(use, key=lambda name: use[name], reverse=True)[:KEYS]

    def losses(self, people: People, model: Any = None) -> np.ndarray:
        """Expected loss of each person, of the champion or another model."""
        told = (model or self.model).predict_proba(people.X)
        return people.expected_losses(told, self.promise.metric)

    def serve(self) -> ServedModel:
        """The champion as serving sees it."""
        return ServedModel(
            version="1",
            onnx=export_onnx(self.model, self.X.shape[1]),
            contract=draft_contract(self.population.problem),
            train_digests=frozenset(),
            promise=self.promise,
            out_of_fold=self.out_of_fold,
        )


def train_champion(population: Population, rng: np.random.Generator) -> Champion:
    """A champion trained on people as they are before any change."""
    problem = population.problem
    people, _ = population.draw(REFERENCE_ROWS, rng)
    reference = people.with_outcomes(problem, rng)
    X, y = people.X, encode_target(reference, problem)  # noqa: N806
    told = np.zeros((len(y), 2))
    for train, test in make_folds(y, folds=FOLDS, repeats=1, seed=0)[0]:
        told[test] = answer(X[train], y[train], X[test], classes=2, fit=RECIPE.fit)
    model, answers = RECIPE.fit(X, y), OutOfFold(told, y)
    use = measure_use(model, X, y, draft_contract(problem), seed=0)
    promise = make_promise(answers, metric=problem.drift.loss, recipe=RECIPE, use=use)
    champion = Champion(population, reference, X, y, model, promise, answers)
    same = no_change(population, champion.keys, rng)
    return replace(champion, unchanged=measure_harm(champion, same, 0.0, rng))


def renew_after(champion: Champion, people: People, rng: np.random.Generator) -> Any:
    """A model of the champion's recipe that learnt from these people."""
    problem = champion.population.problem
    y = encode_target(people.with_outcomes(problem, rng), problem)
    return champion.promise.recipe.fit(people.X, y)


def measure_harm(
    champion: Champion, draw: Draw, strength: float, rng: np.random.Generator
) -> float:
    """The harm of a change at a strength, as a share of the champion's skill."""
    people = draw(JUDGED_ROWS, strength, rng)
    models = [
        renew_after(champion, draw(REFERENCE_ROWS, strength, rng), rng)
        for _ in range(RENEWED_MODELS)
    ]
    renewed = np.mean([champion.losses(people, model).mean() for model in models])
    return float((champion.losses(people).mean() - renewed) / champion.promise.skill)


def classify_harm(harm: float, policy: DriftPolicy) -> Harm:
    """What a harm counts as."""
    if harm < policy.cost:
        return "harmless"
    return "harmful" if harm >= policy.harm else "slight"


def is_visible(draw: Draw, rng: np.random.Generator) -> bool:
    """Whether the inputs show the change: rows before and after can be told apart."""
    X = np.concatenate([draw(COMPARED_ROWS, strength, rng).X for strength in (0.0, 1.0)])  # noqa: N806
    is_after = np.repeat([0, 1], COMPARED_ROWS)
    judge = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, random_state=0)
    told = cross_val_predict(judge, X, is_after, cv=3, method="predict_proba")[:, 1]
    return bool(roc_auc_score(is_after, told) >= VISIBLE_AREA)
