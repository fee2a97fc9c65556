"""What the inputs of a window show, as findings that a person can act on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from driftline.drift import ColumnChange
from driftline.joint import JointChange
from driftline.relations import RelationChange, group_by_column
from driftline.verdicts import Finding

RELATIONS_SHOWN = 3


@dataclass(frozen=True)
class Inputs:
    """What the inputs of a window show: faults, changes, and what answers are likely to lose.

    `faults` are known to nobody yet, `known` a person has accepted. `answers` are changes of the
    champion's own answers, of which `sampled` were looked at, as for `joint`.
    """

    rows: int
    faults: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    changes: tuple[ColumnChange, ...] = ()
    relations: tuple[RelationChange, ...] = ()
    joint: JointChange | None = None
    answers: tuple[ColumnChange, ...] = ()
    sampled: int = 0
    estimated: float | None = None
    answered: Literal["probability", "prediction"] = "probability"

    def used_share(self, use: Mapping[str, float]) -> float:
        """How much of what the champion relies on has changed, as a share.

        `use` are the columns' shares; without any, all share alike. A column whose change passes
        its bound counts whole; one below it, but above noise, by the square of its share of the
        bound, so that a column on which much rests counts sooner. A broken relation counts as far
        as both of its columns are relied on. A column whose fault a person has accepted counts
        whole: its values are sound, and mean something else.
        """
        even = 1 / max(len(self.changes), 1)
        use = use or {change.column: even for change in self.changes}
        accepted = {column_of(fault, use) for fault in self.known}
        moved = sum(
            use.get(change.column, 0) * min(1.0, change.effect / change.bound) ** 2
            for change in self.changes
            if change.effect > change.noise and change.column not in accepted
        ) + sum(use[column] for column in accepted if column is not None)
        broken = [
            2 * min(use.get(name, 0) for name in relation.columns)
            for relation in self.relations
            if relation.has_changed
        ]
        return min(1.0, moved + max(broken, default=0.0))

    def findings(self, use: Mapping[str, float]) -> tuple[Finding, ...]:
        """All changes that count: columns, those relied on first, then what no column shows."""
        drifted = [change for change in self.changes if change.has_drifted]
        drifted.sort(key=lambda c: use.get(c.column, 0) * c.effect / c.bound, reverse=True)
        named = {change.column for change in drifted}
        return (
            *(_of_column(change, use) for change in drifted),
            *_of_relations(self.relations),
            *_of_joint(self.joint, named, use),
            *_of_answers(self.answers, self.sampled, self.answered),
        )


def column_of(fault: str, columns: Collection[str]) -> str | None:
    """The column that a fault's sentence begins with; None where it is of whole rows."""
    named = [column for column in columns if fault.startswith(f"{column}: ")]
    return max(named, key=len, default=None)


def _of_column(change: ColumnChange, use: Mapping[str, float]) -> Finding:
    return Finding(
        about=change.column,
        strength=change.effect / change.bound,
        text=f"{change.column} changed: {change.measure} {change.effect:.2f} (bound "
        f"{change.bound:g}, noise {change.noise:.2f}; {use.get(change.column, 0):.0%} of what "
        "the model relies on)",
    )


def _of_relations(relations: Sequence[RelationChange]) -> list[Finding]:
    findings = []
    for hub, changes in group_by_column(relations):
        shown = ", ".join(
            f"{'/'.join(name for name in change.columns if name != hub)} "
            f"({change.before:+.2f} before, {change.now:+.2f} now)"
            for change in changes[:RELATIONS_SHOWN]
        )
        more = len(changes) - RELATIONS_SHOWN
        others = f" and {more} more" if more > 0 else ""
        findings.append(
            Finding(
                about=f"relations of {hub}",
                strength=changes[0].effect / changes[0].bound,
                text=f"{hub} goes otherwise with {shown}{others}: rank correlations, of which the "
                f"first changed by {changes[0].effect:.2f} on Fisher's scale (bound "
                f"{changes[0].bound:g}, noise {changes[0].noise:.2f})",
            )
        )
    return findings


def _of_joint(
    joint: JointChange | None, named: set[str], use: Mapping[str, float]
) -> list[Finding]:
    """Nothing where the columns that tell rows apart are told of already."""
    if (
        joint is None
        or not joint.has_changed
        or (joint.columns and named.issuperset(joint.columns))
    ):
        return []
    relied = sum(use.get(name, 0) for name in joint.columns)
    most = f", most by {', '.join(joint.columns)} ({relied:.0%} of what the model relies on)"
    text = (
        f"rows changed as wholes: a classifier tells {joint.current_rows} current from "
        f"{joint.reference_rows} reference rows with an area of {joint.area:.2f} (bound "
        f"{joint.bound:.2f}, noise {joint.noise:.2f}){most if joint.columns else ''}"
    )
    strength = (joint.area - 0.5) / (joint.bound - 0.5)
    return [Finding("rows as wholes", strength, text)]


def _of_answers(answers: Sequence[ColumnChange], sampled: int, answered: str) -> list[Finding]:
    return [
        Finding(
            about=f"answers: {change.column}",
            strength=change.effect / change.bound,
            text=f"the champion's {answered} of {change.column!r} changed: {change.measure} "
            f"{change.effect:.2f} (bound {change.bound:g}, noise {change.noise:.2f}) on {sampled} "
            "rows, against its answers out of fold",
        )
        for change in answers[:1]
        if change.has_drifted
    ]
