"""Answers to the CDC's health survey (BRFSS) of 2015 to 2024, in its codes, by who has diabetes.

Imitated: the headers and codes, the shares of people without diabetes, with pre-diabetes and with
it, and in per cent how often each of them gives each answer: who has it is older, heavier, less
well and moves less. Part of each answer is exchanged at random, so that models do about as well as
on the survey (areas of .8 for diabetes and .65 to .7 for pre-diabetes).
Not imitated: how answers go together within a class, such as age with retirement; changes from year
to year, and the faults of some years; the sample's weights. Nothing clinical follows from these
rows.
"""

import numpy as np
import pandas as pd

from tasks.reading.synthetic.drawing import draw_answers, shuffle_some

ROWS = 6000
NO, PRE, YES = "3", "4", "1"
SHARES = (0.843, 0.021, 0.136)
YEARS = tuple(str(year) for year in range(2015, 2025))
RANDOM_SHARE = 0.3  # of all answers

# The codes of each answer, and in per cent how often they are given: without, pre-diabetes, with
ANSWERS: dict[str, tuple[str, tuple[tuple[int, ...], ...]]] = {
    "HEALTH_STATUS": ("1 2 9", ((85, 15, 0), (70, 30, 0), (59, 41, 0))),
    "PHYSICAL_HEALTH_STATUS": ("1 2 3 9", ((7, 90, 1, 2), (4, 91, 2, 3), (5, 89, 3, 3))),
    "MENTAL_HEALTH_STATUS": ("1 2 3 9", ((7, 90, 1, 2), (5, 91, 2, 2), (6, 91, 1, 2))),
    "EXERCISE": ("1 2 9", ((75, 23, 2), (68, 30, 2), (59, 39, 2))),
    "HEALTH_CARE_COVERAGE": ("1 2 9", ((58, 7, 35), (47, 6, 47), (40, 3, 57))),
    "SMOKER": ("1 2 3 4 9", ((9, 4, 25, 57, 5), (10, 4, 30, 52, 4), (9, 3, 33, 50, 5))),
    "DRINKER": ("1 2 7 9", ((51, 42, 1, 6), (39, 55, 1, 5), (31, 63, 1, 5))),
    "SOCIAL_DRINKER": ("1 2 9", ((79, 13, 8), (86, 8, 6), (89, 5, 6))),
    "HEAVY_ALCOHOL_CONSUMPTION": ("1 2 9", ((86, 6, 8), (90, 4, 6), (92, 2, 6))),
    "HEART_ATTACK": ("1 2 9", ((7, 92, 1), (11, 87, 2), (22, 76, 2))),
    "STROKE": ("1 2", ((3, 97), (6, 94), (10, 90))),
    "ARTHRITIS": ("1 2 9", ((30, 69, 1), (48, 51, 1), (52, 47, 1))),
    "MARITAL_STATUS": (
        "1 2 3 4 5 6 9",
        ((52, 13, 10, 2, 18, 4, 1), (48, 16, 15, 3, 14, 3, 1), (49, 17, 18, 3, 10, 2, 1)),
    ),
    "EMPLOYMENT": (
        "1 2 3 4 5 6 7 8 9",
        (
            (44, 9, 2, 2, 5, 3, 29, 5, 1),
            (31, 7, 2, 3, 5, 1, 39, 11, 1),
            (24, 5, 2, 2, 4, 0, 47, 15, 1),
        ),
    ),
    "SEX": ("1 2", ((45, 55), (44, 56), (48, 52))),
    "AGE_CATEGORIES": (
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14",
        (
            (7, 6, 6, 7, 7, 7, 8, 9, 10, 10, 8, 6, 7, 2),
            (2, 2, 3, 4, 4, 6, 8, 10, 14, 14, 13, 9, 10, 1),
            (0, 1, 1, 2, 3, 4, 8, 11, 14, 17, 15, 11, 12, 1),
        ),
    ),
    "BMICAT": ("1 2 3 4 9", ((2, 30, 33, 26, 9), (1, 17, 31, 44, 7), (1, 13, 29, 49, 8))),
    "EDUCATION_LEVEL": ("1 2 3 4", ((6, 26, 27, 41), (11, 28, 29, 32), (11, 31, 29, 29))),
    "INCOME": (
        "1 2 3 4 5 6 7 9",
        (
            (6, 10, 9, 11, 36, 7, 2, 19),
            (10, 13, 11, 12, 27, 6, 2, 19),
            (11, 16, 11, 12, 25, 4, 1, 20),
        ),
    ),
}


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Rows as the survey has them, with the year that each is of."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(SHARES), rows, p=SHARES)
    table = {"SURVEY_YEAR": np.sort(rng.choice(YEARS, rows))}
    for name, (codes, weights) in ANSWERS.items():
        answers = draw_answers(codes.split(), weights, y, rng)
        table[name] = shuffle_some(answers, RANDOM_SHARE, rng)
    table["DIABETES"] = np.array([NO, PRE, YES])[y]
    return pd.DataFrame(table)
