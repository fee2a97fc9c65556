"""The season before: predictions of the same time a period earlier, to compare like with like."""

from datetime import timedelta

import pandas as pd
from sqlalchemy import func, select

from bentos.log.tables import PREDICTIONS
from driftline.problem import Problem
from driftline.verdicts import Window
from tasks.decorators import io
from tasks.log.inputs import read_inputs
from tasks.log.predictions import outside_quarantine
from tasks.log.records import open_records

AROUND = 24  # a period is looked at for so much of it before and after: half a month of a year


@io(name="read season before")
def read_season(problem: Problem, window: Window) -> pd.DataFrame:
    """Inputs answered one period before those of a window, give or take; none without a period.

    Whichever model answered them: they tell what people look like at this time.
    """
    period = timedelta(days=problem.drift.season_days)
    if not period or window.last < window.first:
        return window.inputs.head(0)
    mine, when = PREDICTIONS.c.problem == problem.name, PREDICTIONS.c.answered_at
    in_window = PREDICTIONS.c.sequence.between(window.first, window.last)
    with open_records().connect() as connection:
        bounds = select(func.min(when), func.max(when)).where(mine, in_window)
        first, last = connection.execute(bounds).one()
        around = period / AROUND
        alike = (
            PREDICTIONS.c.sequence < window.first,
            when.between(first - period - around, last - period + around),
            *outside_quarantine(connection, problem.name),
        )
        return read_inputs(connection, problem, *alike)[0]
