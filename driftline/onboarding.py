"""From a table that nobody has described to the two files of a problem.

The documents are text with comments, so that a person can check and correct every guess.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from driftline.cells import cells_of
from driftline.date_guesses import propose_parts
from driftline.errors import DataError
from driftline.identities import names_person
from driftline.inference import Guess, guess_columns
from driftline.leaks import read_truth, suspect_leak
from driftline.reading import PLAIN, Reading
from driftline.spelling import tidy
from driftline.target_guesses import (
    AnyTargetGuess,
    as_comment,
    as_yaml,
    guess_outcome,
    guess_target,
)
from driftline.weight_guesses import NO_WEIGHTS, WeightGuesses, find_weights

__all__ = ["Onboarding", "guess_target", "onboard_table", "write_problem", "write_suite"]

LEAKING_NAMES = re.compile(
    r"outcome|result|discharge|death|died|diagnos|label|target", re.IGNORECASE
)
SMALL = 500  # rows below which every interval is wide
ROOM = 0.05  # of the rows: how many more may break than do today
MOST_SET_ASIDE = 0.9
USABLE_WANTED = "; wanted a column of numbers, categories or dates beside the target"


@dataclass(frozen=True)
class Onboarding:
    """All that was made out of a table, and the two documents of its problem."""

    target: AnyTargetGuess
    columns: Sequence[Guess]
    remarks: Sequence[str]
    problem: str
    suite: str


def onboard_table(
    rows: pd.DataFrame, *, name: str, target: str, location: str, reading: Reading = PLAIN
) -> Onboarding:
    """Describe a table; `DataError` where its target cannot be predicted, with what was wanted.

    `reading` is how it was found to be written, where that is not plain.
    """
    _refuse_repeated(rows, location)
    place = _find_target(rows, target, location)
    written = tidy(str(rows.columns[place]))
    guessed = guess_outcome(written, cells_of(rows.iloc[:, place]), source=location)
    columns = guess_columns(rows, without=(guessed.name,))
    truth = read_truth(rows, place, guessed)
    columns = [suspect_leak(guess, truth) for guess in columns]
    columns, weights = find_weights(columns, rows)
    columns = propose_parts(columns, rows)
    if not any(guess.role == "input" for guess in columns):
        message = f"{location}: no column is left to predict {target!r} from"
        told = [f"{guess.name}: {guess.evidence}" for guess in columns[:5]]
        raise DataError(": ".join([message, *filter(None, ["; ".join(told)])]) + USABLE_WANTED)
    remarks = _remark(rows, columns, guessed)
    return Onboarding(
        guessed,
        columns,
        remarks,
        problem=write_problem(
            name,
            location,
            guessed,
            columns,
            remarks,
            rows=len(rows),
            reading=reading,
            weights=weights,
        ),
        suite=write_suite(name, rows=len(rows)),
    )


def _refuse_repeated(rows: pd.DataFrame, location: str) -> None:
    counts = Counter(tidy(str(name)) for name in rows.columns)
    repeated = [repr(name) for name, count in counts.items() if name and count > 1]
    if repeated:
        shown = ", ".join(repeated[:5]) + (", ..." if repeated[5:] else "")
        message = f"{location}: {shown}: got several columns of this name, wanted each name once"
        raise DataError(message)


def _find_target(rows: pd.DataFrame, target: str, location: str) -> int:
    names = [tidy(str(name)) for name in rows.columns]
    wanted = tidy(target)
    places = [place for place, name in enumerate(names) if name == wanted]
    if not places:
        places = [place for place, name in enumerate(names) if name.lower() == wanted.lower()]
    if len(places) != 1:
        shown = ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")  # noqa: PLR2004
        message = f"{location}: --target: got {target!r}, wanted one of its columns: {shown}"
        raise DataError(message)
    return places[0]


def _remark(
    rows: pd.DataFrame, columns: Sequence[Guess], target: AnyTargetGuess
) -> tuple[str, ...]:
    """What a person should know before they trust the table."""
    remarks = []
    repeated = int(rows.astype(str).duplicated().sum())
    if repeated:
        remarks.append(f"{repeated} of {len(rows)} rows repeat an earlier one in every cell")
    remarks += target.remarks()
    if len(rows) < SMALL:
        remarks.append(f"{len(rows)} rows are few: every figure has a wide interval")
    if target.missing:
        remarks.append(f"{target.missing} rows have no {target.name!r} and cannot teach")
    dates = [guess.name for guess in columns if guess.kind == "date" and guess.role == "input"]
    if dates:
        remarks.append(f"{', '.join(dates)}: dates go on, and no model knows what comes after them")
    groups = [guess.name for guess in columns if guess.kind == "group"]
    if groups:
        remarks.append(f"{groups[0]}: several rows each, which are kept on one side of a split")
    suspects = [
        guess.name
        for guess in columns
        if guess.role == "input" and LEAKING_NAMES.search(guess.name)
    ]
    if suspects:
        remarks.append(f"{', '.join(suspects)}: by the name, perhaps known only afterwards")
    return tuple(remarks)


def _reading_lines(reading: Reading) -> list[str]:
    """How the table is written: pinned where no line names its columns, else told.

    Where names are known each file tells how it is written, and another may come with other signs.
    """
    if reading.is_plain:
        return []
    keys = as_yaml(reading.to_keys())
    if reading.header is False:
        return [f"reading: {keys}  # no line names the columns"]
    return [f"# Found written so; to refuse what is written otherwise: reading: {keys}"]


def write_problem(
    name: str,
    location: str,
    target: AnyTargetGuess,
    columns: Sequence[Guess],
    remarks: Sequence[str],
    *,
    rows: int,
    reading: Reading = PLAIN,
    weights: WeightGuesses = NO_WEIGHTS,
) -> str:
    """The problem file, with the evidence of each guess as a comment."""
    lines = [
        f"# Guessed from {rows} rows of a table; every key is explained in CONTRIBUTING.md.",
        *(f"# Note: {as_comment(remark)}" for remark in remarks),
        f"title: {as_yaml(name.replace('_', ' '))}",
        f"source: {as_yaml({'kind': 'file', 'location': location})}",
        *_reading_lines(reading),
        "",
        f"# {as_comment(target.evidence)}",
        *target.lines(),
        "",
        *target.goal_lines(),
        "",
    ]
    share = min(target.missing / max(rows, 1) + ROOM, MOST_SET_ASIDE)
    lines.append(f"max_quarantined_share: {round(share, 3)}")
    lines += [*_left_out_lines(columns), *weights.lines(), "", "columns:"]
    for guess in columns:
        if guess.role == "input":
            lines.append(f"  # {as_comment(guess.evidence)}")
            lines.append(f"  {as_yaml(guess.name)}:")
            lines += [f"    {key}: {as_yaml(value)}" for key, value in guess.keys.items()]
    return "\n".join(lines) + "\n"


def _left_out_lines(columns: Sequence[Guess]) -> list[str]:
    """The columns that no model sees, and the one of them that keeps rows together."""
    lines: list[str] = []
    left_out = [guess for guess in columns if guess.role == "ignored"]
    if left_out:
        lines += ["", "ignored:"]
        for guess in left_out:
            lines += [
                f"  # {guess.kind}: {as_comment(guess.evidence)}",
                f"  - {as_yaml(guess.name)}",
            ]
    groups = sorted(
        (guess.name for guess in columns if guess.kind == "group"),
        key=lambda name: not names_person(name),  # a person's before a product's
    )
    if groups:
        lines += ["", "# rows of one of these never stand on both sides of a split"]
        if groups[1:]:
            lines.append(f"# which may be meant of these too: {as_comment(', '.join(groups[1:]))}")
        lines.append(f"group: {as_yaml(groups[0])}")
    return lines


def write_suite(name: str, *, rows: int) -> str:
    """The expectations: what the problem file declares, and as many rows as a table needs."""
    return "\n".join(
        [
            f"# What must hold of the rows. `derive: true` adds, from data/problems/{name}.yaml,",
            "# that values are in their ranges and categories, and missing only where allowed.",
            "derive: true",
            "expectations:",
            "  - expect: ExpectTableRowCountToBeBetween",
            "    severity: critical",
            "    meaning: not far fewer rows than at the beginning",
            f"    arguments: {{min_value: {max(2, rows // 2)}}}",
            "",
        ]
    )
