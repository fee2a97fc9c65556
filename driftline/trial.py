"""An A/B trial: a contender answers part of the traffic; which of two models is the better one?

Both are asked every labelled row that either of them answered, so that each row is compared with
itself: what differs between people is no noise then, and far fewer labels tell than where each
model is judged by its own rows alone. Two bets go on from look to look, that the contender is
better and that it is worse; each may be wrong with half of the level, however often one looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from driftline.sequential import Wager, read_wager

Floats = NDArray[np.float64]
Verdict = Literal["better", "worse", "undecided", "stopped", "overtaken"]


@dataclass(frozen=True)
class Limits:
    """When a trial ends that has proved nothing; None is no limit of that kind."""

    days: float | None = None
    labels: int | None = None

    def reached(self, rows: int, running: timedelta) -> str | None:
        """Which limit is reached, in words."""
        if self.labels is not None and rows >= self.labels:
            return f"its limit of {self.labels} labels"
        if self.days is not None and running >= timedelta(days=self.days):
            return f"its limit of {self.days:g} days"
        return None


@dataclass(frozen=True)
class Tally:
    """What one arm's own answers have cost: labelled rows, and the sum of their losses."""

    rows: int = 0
    total: float = 0.0

    def add(self, losses: Floats) -> "Tally":
        """The tally with further rows."""
        return Tally(self.rows + len(losses), self.total + float(losses.sum()))

    @property
    def mean(self) -> float | None:
        """The mean loss per answer; None of none."""
        return self.total / self.rows if self.rows else None


@dataclass(frozen=True)
class Losses:
    """What both models lose, or would have lost, on the labelled rows that one arm answered."""

    champion: Floats
    contender: Floats

    @property
    def saved(self) -> Floats:
        """By how much the contender loses less, per row."""
        return self.champion - self.contender


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, and why in one sentence."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Evidence:
    """What the labels of a trial have shown up to now.

    `champion` and `contender` tell of the rows that each has answered itself; what is proved rests
    on all rows. `last_label` is the place up to which labels were judged.
    """

    better: Wager = field(default_factory=Wager)
    worse: Wager = field(default_factory=Wager)
    champion: Tally = Tally()
    contender: Tally = Tally()
    last_label: int = 0

    @property
    def rows(self) -> int:
        """Labelled rows of both arms."""
        return self.better.count

    @property
    def saved(self) -> float:
        """By how much the contender loses less per row, on all of them."""
        return self.better.mean

    def add(self, of_champion: Losses, of_contender: Losses, *, last_label: int) -> "Evidence":
        """The evidence with the rows that have been labelled since, by who answered them.

        Losses are in units of what they mostly reach; their difference is cut at 1, since a bet
        needs bounds. A model that is asked for comparison's sake is in nobody's tally.
        """
        saved = np.clip(np.concatenate([of_champion.saved, of_contender.saved]), -1, 1)
        return Evidence(
            better=self.better.add(saved),
            worse=self.worse.add(-saved),
            champion=self.champion.add(of_champion.champion),
            contender=self.contender.add(of_contender.contender),
            last_label=last_label,
        )

    def judge(self, level: float, *, least_rows: int, unit: str) -> Outcome | None:
        """Whether it is proved who is better; that this is wrong has a chance of `level` at most.

        To take over, the contender needs `least_rows` too; to end what does harm, it needs none.
        """
        told = f"{self.saved:+.4f} {unit} saved per answer on the same {self.rows} labelled rows"
        if self.better.is_proof(level / 2) and self.saved > 0 and self.rows >= least_rows:
            return Outcome("better", f"proved better than the champion: {told}")
        if self.worse.is_proof(level / 2) and self.saved < 0:
            return Outcome("worse", f"proved worse than the champion: {told}")
        return None

    def describe(self, unit: str) -> str:
        """How it stands, in one sentence."""
        if not self.rows:
            return "no labels yet"
        arms = ", ".join(
            f"{name} {tally.mean:.4f} on its own {tally.rows}"
            for name, tally in (("champion", self.champion), ("contender", self.contender))
            if tally.mean is not None
        )
        return f"{self.saved:+.4f} {unit} saved per answer on {self.rows} labelled rows ({arms})"

    def to_document(self) -> dict[str, Any]:
        """The evidence as JSON's own types."""
        return {
            "better": self.better.to_document(),
            "worse": self.worse.to_document(),
            "champion": [self.champion.rows, self.champion.total],
            "contender": [self.contender.rows, self.contender.total],
            "last_label": self.last_label,
        }


def read_evidence(document: Mapping[str, Any]) -> Evidence:
    """What `to_document` wrote; nothing yet where it is empty."""
    if not document:
        return Evidence()
    return Evidence(
        better=read_wager(document["better"]),
        worse=read_wager(document["worse"]),
        champion=Tally(*document["champion"]),
        contender=Tally(*document["contender"]),
        last_label=int(document["last_label"]),
    )


@dataclass(frozen=True)
class Trial:
    """A trial as it was declared, and what it has shown.

    `key` is the hash of the journal's row of its start. `first` is the place of the last prediction
    before it, and `started_at` a moment in UTC without a zone.
    """

    key: str
    version: str
    champion: str
    share: float
    salt: str
    field: str
    limits: Limits
    first: int
    started_at: datetime
    evidence: Evidence

    def with_evidence(self, evidence: Evidence) -> "Trial":
        """The same trial, further on."""
        return replace(self, evidence=evidence)

    def end(self, now: datetime, level: float, *, least_rows: int, unit: str) -> Outcome | None:
        """Whether it ends now, by proof or by a limit; `now` in UTC without a zone."""
        outcome = self.evidence.judge(level, least_rows=least_rows, unit=unit)
        limit = self.limits.reached(self.evidence.rows, now - self.started_at)
        if outcome is None and limit is not None:
            stands = self.evidence.describe(unit)
            return Outcome("undecided", f"reached {limit} without a proof: {stands}")
        return outcome


def find_obstacle(verdict: str, why: str, *, is_overtaken: bool) -> str | None:
    """Why a version cannot be given to people, by what its gate said of it.

    It may have been promoted before, wait for a person, or have had too few rows to be compared
    with the champion, while nothing stood against it: then a trial is what gets them.
    """
    if verdict == "promoted":
        return None
    if verdict not in {"waiting", "need_labels"}:
        said = f"its gate said {verdict!r} ({why})" if verdict else "no gate has judged it"
        return f"{said}, and a model that has not passed its gate is not given to people"
    if is_overtaken:
        return "the champion has changed since its gate compared it; train again"
    return None
