import json

import numpy as np

from driftline.problem import DriftPolicy
from driftline.sequential import Wager
from driftline.shadow import Shadow, read_shadow

POLICY = DriftPolicy()


def losses(rows: int, mean: float, seed: int) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(mean, 0.1, rows), 0, 1)


def test_the_champion_before_is_better_once_that_is_proved() -> None:
    begun = Shadow("3", Wager())

    worse = begun.add(losses(300, 0.4, 0), losses(300, 0.2, 1))
    alike = begun.add(losses(300, 0.2, 0), losses(300, 0.2, 1))

    assert worse.is_better(POLICY)
    assert not alike.is_better(POLICY)
    assert worse.describe("4").startswith("version 4 is worse than version 3, which it replaced")


def test_what_is_known_goes_on_from_look_to_look_for_the_same_version() -> None:
    shadow = Shadow("3", Wager()).add(losses(100, 0.4, 0), losses(100, 0.2, 1))
    document = json.loads(json.dumps(shadow.to_document()))

    assert read_shadow(document, "3").rows == 100
    assert read_shadow(document, "3").mean == shadow.mean
    assert read_shadow(document, "2") == read_shadow(None, "2") == Shadow("2", Wager())
