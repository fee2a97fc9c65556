"""People and their answers to 17 questions, as in a published table of 120 patients.

Imitated: the headers, the answers that there are, about equally many people of each diagnosis, and,
in tenths, how each diagnosis leans in each answer: mood swings tell both bipolar types from the
rest, little optimism tells the second type and depression from the others. One in twenty answers
is given at random, so that models do about as well as on the published table.
Not imitated: any single person, how answers go together within a diagnosis (here they are drawn
one by one), misspelt headers and empty cells. Nothing clinical follows from these rows.
"""

import numpy as np
import pandas as pd

from tasks.reading.synthetic.drawing import (
    Texts,
    deal_classes,
    draw_answers,
    draw_scores,
    shuffle_some,
)

ROWS = 120
DIAGNOSES = ("Bipolar Type-1", "Bipolar Type-2", "Depression", "Normal")
HOW_OFTEN = ("Seldom", "Sometimes", "Usually", "Most-Often")
SPREAD = 1.6
RANDOM_SHARE = 0.05  # of all answers

# Tenths of each diagnosis, in the order of DIAGNOSES, who give each answer of HOW_OFTEN
FREQUENCIES = {
    "Sadness": ((3, 4, 3, 0), (0, 2, 5, 3), (0, 1, 5, 4), (2, 7, 1, 0)),
    "Euphoric": ((2, 3, 3, 2), (5, 5, 0, 0), (6, 4, 0, 0), (1, 4, 4, 1)),
    "Exhausted": ((2, 4, 2, 2), (1, 3, 3, 3), (1, 0, 5, 4), (2, 5, 2, 1)),
    "Sleep Disorder": ((1, 4, 3, 2), (1, 3, 4, 2), (1, 4, 2, 3), (4, 3, 3, 0)),
}
# Share of each diagnosis who say yes
AGREEMENTS = {
    "Mood Swing": (0.9, 0.95, 0.05, 0.05),
    "Suicidal Thoughts": (0.4, 0.7, 0.7, 0.1),
    "Anorexia": (0.5, 0.5, 0.3, 0.2),
    "Authority Respect": (0.2, 0.5, 0.2, 0.7),
    "Try-Explanation": (0.5, 0.5, 0.4, 0.5),
    "Aggressive Response": (0.9, 0.5, 0.3, 0.4),
    "Ignore & Move-On": (0.2, 0.5, 0.5, 0.5),
    "Nervous Breakdown": (0.6, 0.7, 0.6, 0.2),
    "Admit Mistakes": (0.3, 0.5, 0.5, 0.6),
    "Overthinking": (0.5, 0.5, 0.7, 0.3),
}
# Mean of each diagnosis, and the ends of the scale that occur
SCORES = {
    "Sexual Activity": ((6.5, 3.5, 4, 5.5), (1, 9)),
    "Concentration": ((3.5, 4, 4.5, 5), (1, 8)),
    "Optimism": ((6, 3.5, 3, 5.5), (1, 9)),
}


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Rows as the published file has them, each under a number of its own."""
    rng = np.random.default_rng(seed)
    y = deal_classes(len(DIAGNOSES), rows, rng)
    numbers = np.array([f"Patient-{i:02d}" for i in range(1, rows + 1)])
    table: dict[str, Texts] = {"Patient Number": numbers}
    for name, weights in FREQUENCIES.items():
        table[name] = draw_answers(HOW_OFTEN, weights, y, rng)
    for name, shares in AGREEMENTS.items():
        table[name] = draw_answers(("YES", "NO"), [(p, 1 - p) for p in shares], y, rng)
    for name, (means, bounds) in SCORES.items():
        scores = draw_scores(means, SPREAD, bounds, y, rng)
        table[name] = np.array([f"{score} From 10" for score in scores])
    for name in (*FREQUENCIES, *AGREEMENTS, *SCORES):
        table[name] = shuffle_some(table[name], RANDOM_SHARE, rng)
    table["Expert Diagnose"] = np.asarray(DIAGNOSES)[y]
    return pd.DataFrame(table)
