"""The champion before this one, answering the same labelled rows: is the new one worse?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.problem import DriftPolicy
from driftline.sequential import Wager, read_wager

Floats = NDArray[np.float64]
AGAIN: Final = 1.5  # what a person was told is told again when it has grown by half
BRIER: Final = "Brier score"


@dataclass(frozen=True)
class Shadow:
    """The test of a renewal turned round: the wealth grows while the new champion is worse.

    `told` is by how much it was worse when a person was told, 0 where nobody has been.
    """

    version: str
    wager: Wager
    rows: int = 0
    unit: str = BRIER
    told: float = 0.0

    @property
    def mean(self) -> float:
        """By how much the new champion loses more per answer, in the unit."""
        return self.wager.mean

    def add(self, losses: Floats, theirs: Floats) -> "Shadow":
        """The test with a further cohort: losses per row of the champion and of the other.

        They are Brier losses; of a number its own losses in units of what those mostly reach, cut
        at 1, since a bet needs bounds.
        """
        wager = self.wager.add(np.clip(losses - theirs, -1, 1))
        return replace(self, wager=wager, rows=self.rows + len(losses))

    def is_better(self, policy: DriftPolicy) -> bool:
        """Whether the champion is proved to be worse than the one that it replaced."""
        return self.wager.is_proof(policy.false_retrains) and self.mean > 0

    @property
    def is_known(self) -> bool:
        """Whether a person was told as much: what has grown by half since then is news."""
        return self.mean < AGAIN * self.told

    def after(self, policy: DriftPolicy) -> "Shadow":
        """The test as the next look finds it: who was told stays told until it has passed."""
        if not self.is_better(policy):
            return replace(self, told=0.0)
        return self if self.is_known else replace(self, told=self.mean)

    def describe(self, champion: str) -> str:
        """Why the champion before serves again, in one sentence."""
        return (
            f"version {champion} is worse than version {self.version}, which it replaced: "
            f"{self.mean:+.4f} {self.unit} per answer on the same {self.rows} labelled rows"
        )

    def to_document(self) -> dict[str, Any]:
        """The test as JSON's own types."""
        return {
            "version": self.version,
            "rows": self.rows,
            "wager": self.wager.to_document(),
            "told": self.told,
        }


def read_shadow(document: Mapping[str, Any] | None, version: str, *, unit: str = BRIER) -> Shadow:
    """What `to_document` wrote of this version, or a test that has not begun."""
    if not document or document.get("version") != version:
        return Shadow(version, Wager(), unit=unit)
    told = float(document.get("told", 0.0))
    return Shadow(version, read_wager(document["wager"]), int(document["rows"]), unit, told)
