"""What counts as drift in a problem, and what it calls for. `driftline.drift` applies it."""

from typing import Literal

from pydantic import Field, field_validator

from driftline.declared import Strict
from driftline.losses import LossName


class DriftPolicy(Strict):
    """What counts as a change and as harm, what a retraining costs, and what calls for what.

    `cost`, `worth` and `harm` are shares of the champion's skill, which is what it saves per answer
    over guessing the base rates. A retraining costs `cost` times what the champion saves on the
    answers of one look; where each look would pay for one, the price settles where the share `pace`
    of them does. What a renewal must be proved to save per answer is `worth`: more rows alone make
    any model a trifle better, which calls for nothing. `harm` is the loss of skill per answer that
    calls for a retraining at any price.
    """

    numeric_effect: float = Field(default=0.3, gt=0)
    category_effect: float = Field(default=0.15, gt=0, lt=1)
    missing_effect: float = Field(default=0.1, gt=0, lt=1)
    relation_effect: float = Field(default=0.5, gt=0)
    joint_effect: float = Field(default=0.15, gt=0, lt=0.5)
    retrain_share: float = Field(default=0.2, gt=0, le=1)
    min_rows: int = Field(default=100, ge=10)
    false_alarms: float = Field(default=0.01, gt=0, lt=0.5)
    loss: LossName = "log_loss"
    cost: float = Field(default=0.03, gt=0)
    pace: float = Field(default=0.7, gt=0, lt=1)
    worth: float = Field(default=0.02, ge=0)
    false_retrains: float = Field(default=0.05, gt=0, lt=0.5)
    harm: float = Field(default=0.5, gt=0)
    min_labels: int = Field(default=50, ge=20)
    labels_per_check: int = Field(default=100, ge=1)
    label_horizon_days: float = Field(default=0, ge=0)
    season_days: float = Field(default=0, ge=0)
    without_labels: Literal["ask", "retrain"] = "ask"
    confirm: tuple[int, int] = (1, 1)
    cooldown_rows: int = Field(default=0, ge=0)
    shadow_labels: int = Field(default=2000, ge=0)

    @field_validator("confirm")
    @classmethod
    def _some_of_many(cls, confirm: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= confirm[0] <= confirm[1]:
            message = f"got {list(confirm)}, wanted [k, n]: k of the newest n windows, k at most n"
            raise ValueError(message)
        return confirm
