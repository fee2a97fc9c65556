"""The columns of a raw table under the problem's names.

Owns names: byte-order marks, blanks, aliases; and what a person is told where they do not fit.
"""

import difflib
import re
from collections.abc import Iterable, Sequence

import pandas as pd

from driftline.errors import DataError
from driftline.problem import Problem
from driftline.spelling import tidy

LEAST_LETTERS = 3  # of a name that another one may begin with
SHOWN, LETTERS_SHOWN = 20, 60  # names in a message, and letters of each


def rename(raw: pd.DataFrame, problem: Problem, *, source: str, with_target: bool) -> pd.DataFrame:
    """The declared columns in the order of the file; `DataError` names those that do not fit.

    A column without a name and without any value, as a comma at the end of each line makes it, is
    none.
    """
    named: dict[str, tuple[str, ...]] = {
        name: (name, *spec.aliases) for name, spec in problem.columns.items()
    }
    target = problem.target
    named[target.name] = (target.name, *target.aliases)
    owner = {alias: name for name, aliases in named.items() for alias in aliases}
    written = [tidy(str(name)) for name in raw.columns]
    got = [name for i, name in enumerate(written) if name or not _is_empty(raw.iloc[:, i])]

    unexpected = [name for name in got if name not in owner and name not in problem.ignored]
    known = [owner[name] for name in got if name in owner]
    duplicated = sorted({name for name in known if known.count(name) > 1})
    wanted = [name for name in named if with_target or name != target.name]
    if not known and not {_fold(name) for name in got} & {_fold(name) for name in owner}:
        message = (  # perhaps a row of values in the place of a header: its cells are not shown
            f"{source}: got {_count(got)} and none that the problem file declares, wanted a "
            f"first line that names {_list(map(shorten, wanted))}"
        )
        raise DataError(message)
    missing = [name for name in wanted if name not in known]
    if unexpected or duplicated or missing:
        raise DataError(_describe_columns(source, missing, unexpected, duplicated))
    kept = [i for i, name in enumerate(written) if name in owner]
    renamed = raw.iloc[:, kept].reset_index(drop=True)
    renamed.columns = pd.Index([owner[written[i]] for i in kept])
    return renamed


def _is_empty(cells: pd.Series) -> bool:
    return all(cell == "" for cell in cells.dropna().astype(str).str.strip())


def _fold(name: str) -> str:
    """A name without what is easily written otherwise: case, blanks, signs."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _count(got: Sequence[str]) -> str:
    return "1 column" if len(got) == 1 else f"{len(got)} columns"


def _describe_columns(
    source: str, missing: list[str], unexpected: list[str], duplicated: list[str]
) -> str:
    parts = []
    if missing:
        hints: list[str] = []
        for name in missing:
            close = find_close(name, unexpected) if len(hints) < SHOWN else None
            hint = f" (is it {shorten(close)}? add an alias)" if close else ""
            hints.append(f"{shorten(name)}{hint}")
        parts.append(f"missing: {_list(hints)}")
    if duplicated:
        parts.append(f"given more than once: {_list(map(shorten, duplicated))}")
    if unexpected:
        names = [shorten(name) if name else "'' (a column without a name)" for name in unexpected]
        parts.append(f"unexpected: {_list(names)} (declare or ignore them)")
    return f"{source}: columns are not as the problem file declares; " + "; ".join(parts)


def shorten(name: str) -> str:
    """A name in quotes, of which no more is shown than a person reads."""
    return repr(name if len(name) <= LETTERS_SHOWN else f"{name[:LETTERS_SHOWN]}...")


def _list(names: Iterable[str]) -> str:
    """The first of them, and how many more there are."""
    told = list(names)
    more = f" and {len(told) - SHOWN} more" if told[SHOWN:] else ""
    return ", ".join(told[:SHOWN]) + more


def find_close(name: str, others: Iterable[str]) -> str | None:
    """The name that is probably meant: another in case and signs only, a longer or a like one."""
    folded = {_fold(other): other for other in others if _fold(other)}
    wanted = _fold(name)
    if wanted in folded:
        return folded[wanted]
    if len(wanted) >= LEAST_LETTERS:
        longer = [other for begun, other in folded.items() if begun.startswith(wanted)]
        if len(longer) == 1:
            return longer[0]
    close = difflib.get_close_matches(wanted, list(folded), n=1)
    return folded[close[0]] if close else None
