"""What people state of a model: what it is for, and which changes it may make by itself."""

from typing import Literal

from driftline.declared import Strict

By = Literal["itself", "person"]


class Card(Strict):
    """What only people know of a model: its purpose, who may use it, and what it is not for."""

    purpose: str = ""
    users: str = ""
    limits: tuple[str, ...] = ()


class Changes(Strict):
    """Which changes the loop makes by itself, and which wait for a person.

    `train` is a training that a verdict orders, `promote` a model that has passed its gate taking
    over, `roll_back` the return of the champion before, where the new one is proved worse.
    """

    train: By = "itself"
    promote: By = "itself"
    roll_back: By = "itself"
