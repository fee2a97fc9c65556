"""What may happen to a stream of people, each as a function that draws them at a strength.

Strength 0 is how the champion knew them, 1 is the whole change. A maker fixes by its generator what
is altered, so that all windows of a stream are altered alike. `keys` are the columns that the
champion relies on most, the most used first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from driftline.dataset import encode_rows
from driftline.errors import DataError
from tests.benchmarks.decisions.corruptions import KINDS, corrupt
from tests.benchmarks.decisions.populations import Draw, People, Population

Maker = Callable[[Population, Sequence[str], np.random.Generator], Draw]
SEASON = 6  # windows
GRADUAL_WINDOWS = 4


@dataclass(frozen=True)
class Scenario:
    """A change, when labels come (so many windows late, or never), and what counts as in time.

    `strength` maps the count of windows since the change began, itself the first, to a strength.
    """

    name: str
    make: Maker
    delay: int = 0
    is_labelled: bool = True
    is_broken: bool = False
    within: int = 2
    strength: Callable[[int], float] = lambda window: float(window > 0)

    @property
    def title(self) -> str:
        """The name, which says where no labels come."""
        return self.name if self.is_labelled else f"{self.name}, no labels"


def _other_rows(alter: Callable[[People, np.random.Generator], People]) -> Callable[..., Draw]:
    """Draws the same people and alters their rows at any strength above 0."""

    def make(population: Population) -> Draw:
        def draw(size: int, strength: float, rng: np.random.Generator) -> People:
            people, _ = population.draw(size, rng)
            return alter(people, rng) if strength else people

        return draw

    return make


def no_change(population: Population, keys: Sequence[str], rng: np.random.Generator) -> Draw:
    """The same people."""
    del keys, rng
    return _other_rows(lambda people, _: people)(population)


def trifling(population: Population, keys: Sequence[str], rng: np.random.Generator) -> Draw:
    """A twentieth of a deviation on every row; where there are no numbers, people differ so."""
    return _moved(population, keys, rng, deviations=0.05)


def key_moved(population: Population, keys: Sequence[str], rng: np.random.Generator) -> Draw:
    """The key column moves by one deviation on every row, whatever the others do."""
    return _moved(population, keys, rng, deviations=1.0)


def _moved(
    population: Population, keys: Sequence[str], rng: np.random.Generator, *, deviations: float
) -> Draw:
    numbers = [name for name in keys if name in population.numbers]
    sign = float(rng.choice([-1.0, 1.0]))
    if not numbers:
        return _tilted(population, keys[0], sign * deviations)
    name = numbers[0]
    step = sign * deviations * float(population.people.rows[name].std())

    def alter(people: People, rng: np.random.Generator) -> People:
        del rng
        moved, X = people.rows[name] + step, people.X.copy()  # noqa: N806
        X[:, population.elements[name]] = moved.to_numpy(dtype=np.float32)[:, None]
        return People(people.rows.assign(**{name: moved}), X, people.chance)

    return _other_rows(alter)(population)


def other_people(population: Population, keys: Sequence[str], rng: np.random.Generator) -> Draw:
    """Other people come, whose mean of a key column is a deviation away, as far as there are."""
    return _tilted(population, str(rng.choice(list(keys))), float(rng.choice([-1.0, 1.0])))


def seasonal(population: Population, keys: Sequence[str], rng: np.random.Generator) -> Draw:
    """People come and go with the season along a key column."""
    score = np.clip(population.scores[str(rng.choice(list(keys)))], -3, 3)

    def draw(size: int, strength: float, rng: np.random.Generator) -> People:
        return population.draw(size, rng, np.exp(0.5 * strength * score))[0]

    return draw


def _tilted(population: Population, name: str, deviations: float) -> Draw:
    score, weights = population.scores[name], np.ones(len(population.people.chance))
    for power in np.arange(0.02, 3.01, 0.02):
        weights = np.exp(np.clip(np.sign(deviations) * power * score, -6, 6))
        if abs(float((weights * score).sum() / weights.sum())) >= abs(deviations):
            break

    def draw(size: int, strength: float, rng: np.random.Generator) -> People:
        return population.draw(size, rng, weights if strength else None)[0]

    return draw


def broken_correlation(
    population: Population, keys: Sequence[str], rng: np.random.Generator
) -> Draw:
    """The key column's values are shuffled over the rows: its distribution stays as it was."""
    del rng
    name = keys[0]

    def alter(people: People, rng: np.random.Generator) -> People:
        order, X = rng.permutation(len(people.rows)), people.X.copy()  # noqa: N806
        X[:, population.elements[name]] = people.X[order, population.elements[name]]
        values = people.rows[name].to_numpy()[order]
        return People(people.rows.assign(**{name: values}), X, people.chance)

    return _other_rows(alter)(population)


def label_shift(population: Population, keys: Sequence[str], rng: np.random.Generator) -> Draw:
    """One class comes three times as often, and its people are such as before."""
    del keys
    often = np.array([3.0, 1.0]) if rng.random() < 0.5 else np.array([1.0, 3.0])
    chance = population.people.chance
    weights = (1 - chance) * often[0] + chance * often[1]

    def draw(size: int, strength: float, rng: np.random.Generator) -> People:
        if not strength:
            return population.draw(size, rng)[0]
        people, places = population.draw(size, rng, weights)
        chance = people.chance * often[1] / weights[places]
        return replace(people, chance=chance)

    return draw


def concept_flip(population: Population, keys: Sequence[str], rng: np.random.Generator) -> Draw:
    """In half of the people by a key column outcomes change places: labels alone can show it.

    The strength is the share of those for whom the new relation holds.
    """
    score = population.scores[str(rng.choice(list(keys)))]
    is_hit = score >= np.median(score) if rng.random() < 0.5 else score <= np.median(score)

    def draw(size: int, strength: float, rng: np.random.Generator) -> People:
        people, places = population.draw(size, rng)
        flipped = people.chance + strength * (1 - 2 * people.chance)
        return replace(people, chance=np.where(is_hit[places], flipped, people.chance))

    return draw


def corrupted(share: float) -> Maker:
    """One column is broken on a share of the rows, in one way of many."""

    def make(population: Population, keys: Sequence[str], rng: np.random.Generator) -> Draw:
        del keys
        seed = int(rng.integers(2**32))
        some, _ = population.draw(200, rng)
        kinds = (str(kind) for kind in rng.permutation(list(KINDS)))
        kind = next(kind for kind in kinds if _broken(population, some, kind, share, seed))

        def alter(people: People, rng: np.random.Generator) -> People:
            del rng
            return _broken(population, people, kind, share, seed) or people

        return _other_rows(alter)(population)

    return make


def _broken(
    population: Population, people: People, kind: str, share: float, seed: int
) -> People | None:
    """The people with one column broken, always the same one.

    None where the kind has no effect, or where the service would refuse such rows at the door.
    """
    related = dict.fromkeys(population.problem.columns, 1.0)
    numbered = people.rows.assign(_place=range(len(people.rows)))
    rng = np.random.default_rng(seed)
    broken = corrupt(numbered, kind, population.problem, rng, share=share, related=related)
    if broken is None:
        return None
    places = broken["_place"].to_numpy()
    rows = broken.drop(columns="_place")
    try:
        X = encode_rows(rows, population.problem)  # noqa: N806
    except DataError:
        return None
    return People(rows, X, people.chance[places])


def _slowly(window: int) -> float:
    return float(np.clip(window / GRADUAL_WINDOWS, 0, 1))


def _by_season(window: int) -> float:
    return float(np.sin(2 * np.pi * window / SEASON))


LABELLED = (
    Scenario("no change", no_change),
    Scenario("trifling shift", trifling),
    Scenario("key column by one deviation", key_moved),
    Scenario("other people", other_people),
    Scenario("broken correlation", broken_correlation),
    Scenario("label shift", label_shift),
    Scenario("concept flip", concept_flip),
    Scenario("gradual flip", concept_flip, within=3, strength=_slowly),
    Scenario("seasonal", seasonal, strength=_by_season),
    Scenario("late labels", concept_flip, delay=3),
    Scenario("corrupted", corrupted(1.0), is_broken=True),
    Scenario("corrupted, 30 %", corrupted(0.3), is_broken=True),
)
UNLABELLED = (
    Scenario("no change", no_change, is_labelled=False),
    Scenario("trifling shift", trifling, is_labelled=False),
    Scenario("key column by one deviation", key_moved, is_labelled=False),
    Scenario("other people", other_people, is_labelled=False),
    Scenario("broken correlation", broken_correlation, is_labelled=False),
    Scenario("label shift", label_shift, is_labelled=False),
    Scenario("concept flip", concept_flip, is_labelled=False),
)
