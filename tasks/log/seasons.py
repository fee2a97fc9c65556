"""Rows of before: of the same time a period earlier, to compare like with like, and the latest."""

from datetime import timedelta

import pandas as pd
from sqlalchemy import func, select

from bentos.log.tables import PREDICTIONS
from driftline.lately import rows_lacking
from driftline.portion import most_rows
from driftline.problem import Problem
from driftline.verdicts import Window
from tasks.decorators import io
from tasks.log.inputs import read_inputs
from tasks.log.quarantine import outside_quarantine
from tasks.log.records import open_records

SPARE_ROWS = 10
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
        return read_inputs(connection, problem, *alike, most=most_rows(problem)).inputs


@io(name="read rows just before")
def read_earlier(problem: Problem, window: Window, model_version: str) -> pd.DataFrame:
    """Inputs that this model answered just before a window that is to be filled up by them.

    What is in quarantine is left out, and parts of batches, which are large enough alone. A few
    more than it lacks are read, since some of either may not be taken today.
    """
    lacking = rows_lacking(len(window.inputs), problem.drift)
    if not lacking:
        return window.inputs.head(0)
    with open_records().connect() as connection:
        mine = (
            PREDICTIONS.c.problem == problem.name,
            PREDICTIONS.c.model_version == model_version,
            PREDICTIONS.c.sequence < window.first,
            PREDICTIONS.c.inputs.is_not(None),
            *outside_quarantine(connection, problem.name),
        )
        newest = select(PREDICTIONS.c.sequence).where(*mine)
        newest = newest.order_by(PREDICTIONS.c.sequence.desc()).limit(lacking + SPARE_ROWS)
        places = connection.execute(newest).scalars().all()
        if not places:
            return window.inputs.head(0)
        since = PREDICTIONS.c.sequence >= places[-1]
        return read_inputs(connection, problem, *mine, since).inputs
