"""How a champion stands by its labelled answers: what has added up since it began to serve.

Three questions are asked of each cohort of labels: would a model renewed with what we know now have
answered better, is the champion worse than it promised, and do its probabilities come true no
longer? All are wagers that go on from cohort to cohort, so that nothing is forgotten, whatever the
schedule, and daily looks do not add up to false alarms. What was lost so far is a sum, which is
held against the price of a renewal.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.problem import DriftPolicy
from driftline.promise import Promise
from driftline.recalibration import Recalibration, read_recalibration
from driftline.sequential import Wager, mix_wealth, read_wager

Floats = NDArray[np.float64]

_OF_RELATION: Final = 0.5  # of `false_retrains`; the other two questions share what is left
_ASKED_AGAIN: Final = 1.5  # after a renewal that came to nothing, half as many rows again


@dataclass(frozen=True)
class Standing:
    """What the labels of a champion have shown, cohort by cohort.

    `lost` adds up, over `looks`, the mean loss against the probe in units of the skill; `excess`
    the loss against the promise over `rows` answers. `recent_*` tell of the newest cohort, per
    answer. `price` is what a renewal costs, in units of `lost`; `asked` is the count of rows at
    which one was last called for.
    """

    rows: int = 0
    looks: int = 0
    lost: float = 0.0
    excess: float = 0.0
    recent_rows: int = 0
    recent_lost: float = 0.0
    recent_excess: float = 0.0
    price: float = 0.0
    asked: int = 0
    harm: Wager = field(default_factory=Wager)
    renewal: Mapping[str, Wager] = field(default_factory=dict)
    recalibration: Recalibration = field(default_factory=Recalibration)

    def add(
        self,
        losses: Floats,
        probed: Mapping[int, Floats],
        *,
        past: int,
        promise: Promise,
        policy: DriftPolicy,
        recalibration: Recalibration | None = None,
    ) -> "Standing":
        """The standing with a further cohort.

        `losses` are the champion's, `probed` the probe's per past, of which `past` was chosen;
        `recalibration` is this standing's with the cohort added, where there are probabilities.
        """
        scale = promise.scale
        tolerated = promise.loss + 2 * promise.error + policy.harm / 2 * promise.skill
        saved = {str(key): losses - theirs for key, theirs in probed.items()}
        whole, least = self.renewal.get("1", Wager()), policy.worth * promise.skill
        renewal = {
            key: self.renewal.get(key, whole).add(_cut(saved.get(key, saved["1"]) - least, scale))
            for key in dict.fromkeys([*self.renewal, *saved])
        }
        lost, excess = float(saved[str(past)].mean()), float(losses.mean()) - promise.loss
        return replace(
            self,
            rows=self.rows + len(losses),
            looks=self.looks + 1,
            lost=self.lost + lost / promise.skill,
            excess=self.excess + excess * len(losses),
            recent_rows=len(losses),
            recent_lost=lost,
            recent_excess=excess,
            harm=self.harm.add(_cut(losses - tolerated, scale)),
            renewal=renewal,
            recalibration=recalibration or self.recalibration,
        )

    def after(self, *, is_renewal_due: bool, policy: DriftPolicy) -> "Standing":
        """The standing after a look: a renewal makes the next one dearer, a quiet look less so.

        Raising a price whenever something is bought, and lowering it else, holds what is bought to
        a pace and spends it where it is worth most. Source: Balseiro and Gur, Learning in repeated
        auctions with budgets: adaptive pacing, Management Science 65 (2019).
        """
        price = max(self.price, policy.cost) * math.exp(is_renewal_due - policy.pace)
        return replace(
            self,
            price=max(price, policy.cost),
            asked=self.rows if is_renewal_due else self.asked,
        )

    def to_document(self) -> dict[str, Any]:
        """The standing as JSON's own types."""
        return {
            **self.__dict__,
            "harm": self.harm.to_document(),
            "renewal": {key: wager.to_document() for key, wager in self.renewal.items()},
            "recalibration": self.recalibration.to_document(),
        }


def read_standing(document: Mapping[str, Any]) -> Standing:
    """What `to_document` wrote."""
    renewal = {key: read_wager(wager) for key, wager in document["renewal"].items()}
    read = {
        "harm": read_wager(document["harm"]),
        "renewal": renewal,
        "recalibration": read_recalibration(document.get("recalibration")),
    }
    return Standing(**{**document, **read})


def is_renewal_due(standing: Standing, promise: Promise, policy: DriftPolicy) -> bool:
    """Whether a renewal is proved to be worth it and its price, or skill is lost beyond doubt.

    What was lost adds up from the first label on, so that small harm counts after long and great
    harm at once: the rule of who may rent on or buy (ski rental). Where the loss grows evenly, it
    finds the interval of least total cost. Source: Karlin et al., Competitive snoopy caching,
    Algorithmica 3 (1988).
    """
    return level_of_renewal(standing, promise, policy) <= policy.false_retrains


def level_of_renewal(standing: Standing, promise: Promise, policy: DriftPolicy) -> float:
    """The least `false_retrains` at which a renewal is due; 1 where none is at any."""
    is_too_soon = standing.rows < max(policy.cooldown_rows, standing.asked * _ASKED_AGAIN)
    if not standing.rows or is_too_soon:
        return 1.0
    found, price = standing.recalibration, max(standing.price, policy.cost)
    half = _half_of_rest(standing)
    logs = [found.log_wealth + math.log(_OF_RELATION)] if found.recent_saved >= price else []
    if standing.recent_lost > 0:
        if standing.lost >= price:
            shorter = [wager for past, wager in standing.renewal.items() if past != "1"]
            mixed = mix_wealth(standing.renewal["1"], shorter)
            logs.append(mixed + math.log(half))
        if standing.recent_excess >= policy.harm * promise.skill:
            logs.append(standing.harm.peak + math.log(half))
    return math.exp(-max([0.0, *logs]))


def _half_of_rest(standing: Standing) -> float:
    """What each of two questions has of `false_retrains`; all of it is theirs without the third.

    So together they err no oftener than that.
    """
    return (1 - _OF_RELATION if standing.recalibration.cohorts else 1.0) / 2


def is_skill_lost(standing: Standing, promise: Promise, policy: DriftPolicy) -> bool:
    """Whether the champion is proved to be worse than promised, by `harm` of its skill."""
    is_proved = standing.harm.is_proof(policy.false_retrains * _half_of_rest(standing))
    return is_proved and standing.recent_excess >= policy.harm * promise.skill


def is_relation_lost(standing: Standing, policy: DriftPolicy) -> bool:
    """Whether probabilities are proved to come true no longer, at a loss that pays for a renewal.

    What a renewed model cannot have learnt yet is not asked of it.
    """
    found, price = standing.recalibration, max(standing.price, policy.cost)
    is_proved = found.is_proof(policy.false_retrains * _OF_RELATION)
    return is_proved and found.recent_saved >= price


def describe_due(standing: Standing, promise: Promise, policy: DriftPolicy) -> str:
    """Why a renewal is due, in one sentence."""
    why = (
        f"a model renewed now saves {standing.recent_lost:.4f} {promise.metric} per answer "
        f"({_against_champion(standing.recent_lost, promise)}) on the newest "
        f"{standing.recent_rows} labelled rows"
    )
    if is_relation_lost(standing, policy):
        share = f"{standing.recalibration.recent_saved:.0%} of its skill"
        return (
            "the champion's probabilities come true no longer: corrected by what came since, they "
            f"would save {share if promise.has_skill else 'more than a renewal costs'} per answer "
            f"on the newest {standing.recent_rows} labelled rows"
            f"{f'; {why}' if standing.recent_lost > 0 else ''}"
        )
    if not promise.has_skill:
        return (
            f"the champion has no skill to lose: its {promise.metric} of {promise.loss:.4f} is "
            f"hardly below the {promise.base_loss:.4f} of {promise.blind}; {why}"
        )
    if is_skill_lost(standing, promise, policy):
        return (
            f"the champion loses {standing.recent_excess:.4f} {promise.metric} per answer more "
            f"than it promised ({standing.recent_excess / promise.skill:.0%} of its skill); {why}"
        )
    price = max(standing.price, policy.cost)
    return (
        f"{why}; since it began {standing.lost:.0%} of a look's skill was lost, and a retraining "
        f"costs {price:.0%}"
    )


def _against_champion(saved: float, promise: Promise) -> str:
    if not promise.has_skill:
        saves = max(promise.base_loss - promise.loss, 0.0)
        return f"the champion saves {saves:.4f} over {promise.blind}"
    return f"{saved / promise.skill:.0%} of the champion's skill"


def describe_standing(standing: Standing, promise: Promise) -> str:
    """How the champion stands, in one sentence."""
    now = promise.loss + standing.excess / standing.rows
    saved = standing.lost / standing.looks * promise.skill
    return (
        f"mean {promise.metric} {now:.4f} on {standing.rows} labelled rows, {promise.loss:.4f} "
        f"promised; a renewed model would have saved {saved:+.4f} per answer"
    )


def _cut(values: Floats, scale: float) -> Floats:
    """Values for a wager, mixed in a fixed order.

    They lie in [-1, 1]: differences of losses over what those mostly reach (`Promise.scale`), cut
    beyond it. An error of a number has no end, so a few great ones count as great and no more.

    The first block of a cohort is answered by nearly what the champion is itself: its differences
    are about 0, and a player who took the rest for as quiet would bet too much.
    """
    mixed = np.random.default_rng(len(values)).permutation(len(values))
    return np.clip(values[mixed] / scale, -1.0, 1.0)
