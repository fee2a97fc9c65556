"""What the keys of a problem file have to agree on with each other.

Each check takes the values of the keys that it is about, and raises `ValueError` in words that name
the key, what was got and what was wanted. Knows no file and no other check.
"""

from collections.abc import Collection, Mapping, Sequence

from driftline.candidates import CANDIDATES
from driftline.columns import Column
from driftline.conditions import parse_conditions
from driftline.dates import read_date, spell_date
from driftline.goal import Goal, RiskBands
from driftline.regressors import REGRESSORS
from driftline.sources import Source, SyntheticSource
from driftline.spelling import MISSING, read_number, spell
from driftline.target import AnyTarget, NumberTarget


def check_candidates(names: Sequence[str], target: AnyTarget | None) -> None:
    """Refuse candidates that are unknown, fit another kind of target or could not serve."""
    known = REGRESSORS if isinstance(target, NumberTarget) else CANDIDATES
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        message = f"got {', '.join(unknown) or 'none'}, wanted some of {', '.join(known)}"
        raise ValueError(message)
    if set(names) == {"dummy"}:
        message = "got the dummy baseline alone, wanted a candidate that could serve"
        raise ValueError(message)


def check_names(columns: Mapping[str, Column], target: AnyTarget, ignored: Collection[str]) -> None:
    """Refuse a name, or another name of it, that two columns of a file would answer to."""
    owners: dict[str, str] = {}
    named = {name: (name, *column.aliases) for name, column in columns.items()}
    named[target.name] = (target.name, *target.aliases)
    named |= {name: (name,) for name in ignored}
    if len(named) != len(columns) + 1 + len(ignored):
        message = "columns, target and ignored share a name; wanted each column once"
        raise ValueError(message)
    for owner, name in ((owner, name) for owner, names in named.items() for name in names):
        if name in owners and owners[name] != owner:
            message = f"{owner} and {owners[name]} both answer to {name!r}; wanted one"
            raise ValueError(message)
        owners[name] = owner


def check_ignored(key: str, name: str | None, ignored: Collection[str]) -> None:
    """Refuse a column that `key` names though models learn from it."""
    if name is not None and name not in ignored:
        message = f"{key}: got {name!r}, wanted one of `ignored`: no model learns from it"
        raise ValueError(message)


def check_title(title: str, source: Source) -> None:
    """Refuse a title that keeps quiet that the rows are made up."""
    if isinstance(source, SyntheticSource) and "synthetic" not in title.casefold():
        message = (
            f"title: got {title!r}, wanted the word synthetic in it, as the rows of its "
            "source are made up"
        )
        raise ValueError(message)


def check_subgroups(subgroups: Sequence[str], columns: Mapping[str, Column]) -> None:
    """Refuse a part of the people that no column tells."""
    for place, text in enumerate(subgroups):
        try:
            parse_conditions([text], columns)
        except ValueError as error:
            message = f"subgroups.{place}: {error}"
            raise ValueError(message) from None


def check_costs(goal: Goal, classes: Sequence[str]) -> None:
    """Refuse costs where there are two classes, or that leave a class or an answer out."""
    given: dict[str, Collection[str]] = {
        "miss_costs": goal.miss_costs,
        "cost_matrix": goal.cost_matrix,
    }
    given = {key: costs for key, costs in given.items() if costs}
    if len(given) > 1:
        message = "goal: got miss_costs and cost_matrix, wanted one of them"
        raise ValueError(message)
    for key, costs in given.items():
        if len(classes) == 2:  # noqa: PLR2004 - binary
            message = f"goal.{key}: got it with two classes, whose threshold the goal sets; "
            raise ValueError(message + "wanted it with more")
        _check_named(f"goal.{key}", costs, classes, "each class")
    for truth, answers in goal.cost_matrix.items():
        others = [name for name in classes if name != truth]
        _check_named(f"goal.cost_matrix.{truth}", answers, others, "each other class")


def _check_named(key: str, got: Collection[str], wanted: Sequence[str], what: str) -> None:
    if set(got) != set(wanted):
        message = f"{key}: got {', '.join(got) or 'none'}, wanted {what}: {', '.join(wanted)}"
        raise ValueError(message)


def check_kinds(bands: RiskBands, target: AnyTarget, given: Collection[str]) -> None:
    """Refuse what a target with classes cannot have: other bounds of risk, `intervals`."""
    if isinstance(target, NumberTarget):
        return
    if not 0 < bands.medium < bands.high < 1:
        message = (
            f"risk_bands: got {bands.medium:g} and {bands.high:g}, wanted bounds of a "
            "probability, between 0 and 1"
        )
        raise ValueError(message)
    if "intervals" in given:
        message = "intervals: got it with classes, wanted it with target.kind number"
        raise ValueError(message)


def settle_example(value: float | str | None, column: Column | None) -> float | str | None:
    """An example's value as a record has it: a category by its name, a number as one."""
    if value is None or column is None:
        return value
    if column.kind == "date":
        days = read_date(str(value), column.order)
        return str(value) if days is None else spell_date(days)
    if column.kind == "category":
        found = column.spellings.find(value)
        return spell(value) if found in {None, MISSING} else found
    number = read_number(value) if isinstance(value, str) else None
    return value if number is None else number
