"""When a problem's flows run by themselves, and how many at once: the section `loop` of its file.

Owns what a cron may say, in UTC. Which deployments follow from it, `deployments/manifest.py` says.
"""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from driftline.declared import Strict

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: Final[tuple[tuple[str, int, int, dict[str, int]], ...]] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: place for place, name in enumerate(_MONTHS, start=1)}),
    ("day of the week", 0, 7, {name: place for place, name in enumerate(_DAYS)}),
)
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def check_cron(text: str) -> str:
    """A cron of five fields, its blanks tidied; `ValueError` names the field that cannot be meant.

    Fields hold numbers, `*`, ranges `a-b`, steps `/n`, lists by commas, and names of months and
    days (POSIX crontab(5), with steps and names as in Vixie's).
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        message = f"got {text!r}, wanted a cron of five fields, such as '0 3 * * 1'"
        raise ValueError(message)
    for given, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in given.lower().split(","):
            if not _is_part(part, low, high, words):
                message = f"got {part!r} as {name} of {text!r}, wanted {low} to {high}, *, - or /"
                raise ValueError(message)
    return " ".join(fields)


def _is_part(part: str, low: int, high: int, words: dict[str, int]) -> bool:
    found = _PART.fullmatch(part)
    if found is None:
        return False
    first, last, step = found.groups()
    ends = [words.get(end, _number(end)) for end in (first, last) if end is not None]
    is_within = all(low <= end <= high for end in ends)
    return is_within and ends == sorted(ends) and (step is None or int(step) > 0)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else -1


Cron = Annotated[str, AfterValidator(check_cron)]


class Schedules(Strict):
    """When each flow starts by itself, as a cron in UTC; a flow without one waits to be asked."""

    pipeline: Cron | None = None
    train: Cron | None = "0 3 * * 1"
    monitor: Cron | None = "0 5 * * *"


class Loop(Strict):
    """When a problem's flows run by themselves, and how many of a kind at once.

    `retrain` says when a retraining follows that a verdict has ordered: at once, or with the next
    training that is scheduled. How many labels order a check is `drift.labels_per_check`.
    """

    schedules: Schedules = Schedules()
    retrain: Literal["at_once", "scheduled"] = "at_once"
    runs_at_once: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _ordered_trainings_come(self) -> Self:
        if self.retrain == "scheduled" and not (self.schedules.train or self.schedules.pipeline):
            message = "retrain: got 'scheduled', wanted a cron under schedules.train with it"
            raise ValueError(message)
        return self

    @property
    def starts_at_once(self) -> tuple[str, ...]:
        """The flows that what is ordered starts by itself."""
        return ("monitor", "train") if self.retrain == "at_once" else ("monitor",)
