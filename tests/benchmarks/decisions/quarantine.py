"""How often sound windows are quarantined, and how many broken ones are caught.

    python -m tests.benchmarks.decisions.quarantine [--seeds 50] [--tuning]

Each seed parts every table anew, draws windows of each size, and breaks copies of them.
"""

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.table import Table

from driftline.faults import find_faults
from driftline.verdicts import name_of
from tests.benchmarks.decisions.corruptions import KINDS, corrupt
from tests.benchmarks.decisions.shifts import HARMLESS
from tests.benchmarks.decisions.streams import (
    REPORTING_SEEDS,
    SIZES,
    TUNING_SEEDS,
    RealTable,
    Stream,
    cut_stream,
    load_tables,
)

SHARES = {1.0: "whole", 0.3: "30 %"}
HARMLESS_DRAWS = 1
KINDS_A_WINDOW = 8  # of all, drawn anew for each size and seed


@dataclass
class Tally:
    """Windows judged and windows quarantined, by whatever key."""

    judged: Counter = field(default_factory=Counter)
    caught: Counter = field(default_factory=Counter)
    told: dict = field(default_factory=lambda: defaultdict(Counter))

    def add(self, key: tuple, sentences: list) -> None:
        """Count one window."""
        self.judged[key] += 1
        self.caught[key] += bool(sentences)
        for each in sentences[:1]:
            self.told[key][name_of(each).partition(": ")[2]] += 1

    def share(self, *, where: dict[int, object]) -> str:
        """The share caught among keys with these parts, as text with its count."""
        keys = [k for k in self.judged if all(k[i] == v for i, v in where.items())]
        judged = sum(self.judged[k] for k in keys)
        return f"{sum(self.caught[k] for k in keys) / judged:.1%} ({judged})" if judged else "-"


def main() -> None:
    """Run the streams and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--tuning", action="store_true", help="the seeds that knobs may look at")
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--most-rows", type=int, default=max(SIZES))
    options = parser.parse_args()
    seeds = (TUNING_SEEDS if options.tuning else REPORTING_SEEDS)[: options.seeds]
    harmless, broken = Tally(), Tally()
    wanted = [each for each in load_tables() if not options.tables or each.name in options.tables]
    related: dict[str, dict[str, float]] = {}
    try:
        for seed in seeds:
            for table in wanted:
                rng = np.random.default_rng(seed)
                stream = cut_stream(table, rng)
                if table.name not in related:
                    related[table.name] = relate_columns(stream)
                run_stream(stream, rng, harmless, broken, related[table.name], options.most_rows)
    except KeyboardInterrupt:
        print("stopped: what follows is of the streams so far")  # noqa: T201
    print_tallies(Console(width=150), harmless, broken)


def run_stream(
    stream: Stream,
    rng: np.random.Generator,
    harmless: Tally,
    broken: Tally,
    related: dict[str, float],
    most_rows: int,
) -> None:
    """Judge sound and broken windows of every size against one reference."""
    table: RealTable = stream.table
    reference = stream.reference
    for size in (size for size in stream.sizes if size <= most_rows):
        for name, shift in HARMLESS.items():
            for _ in range(HARMLESS_DRAWS if size < 20_000 else 1):
                window = shift(stream, size, rng)
                if window is None:
                    continue
                found = find_faults(reference, window, table.problem)
                harmless.add((table.name, size, name), found)
        kinds = list(rng.permutation(list(KINDS)))[:KINDS_A_WINDOW]
        for kind in kinds:
            for share, label in SHARES.items():
                window = stream.draw(size, rng)
                bad = corrupt(window, kind, table.problem, rng, share=share, related=related)
                if bad is not None:
                    broken.add(
                        (kind, size, label, table.name),
                        find_faults(reference, bad, table.problem),
                    )


def relate_columns(stream: Stream) -> dict[str, float]:
    """How much of each number's variance the other columns explain: gradient boosting, unseen rows.

    It decides where breaking a relation alters anything in effect; our own fit has no say in it.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import cross_val_score

    rows = stream.reference.head(2000)
    columns = stream.table.problem.columns
    numbers = rows[list(columns)].apply(
        lambda values: values if values.dtype != object else values.astype("category").cat.codes
    )
    related = {}
    for name in columns:
        usable = numbers[name].notna()
        if columns[name].kind == "category" or numbers[name].nunique() < 2:
            continue
        model = HistGradientBoostingRegressor(max_iter=30, max_leaf_nodes=8, random_state=0)
        scores = cross_val_score(
            model, numbers.loc[usable].drop(columns=name), numbers.loc[usable, name], cv=3
        )
        related[name] = float(scores.mean())
    return related


def print_tallies(console: Console, harmless: Tally, broken: Tally) -> None:
    """Two tables: sound windows by table and shift, broken ones by kind; sizes side by side."""
    sizes = [size for size in SIZES if any(key[1] == size for key in harmless.judged)]
    first = Table("sound windows", *map(str, sizes), "all", title="quarantined though sound")
    for place in (0, 2):
        for name in dict.fromkeys(key[place] for key in harmless.judged):
            cells = [harmless.share(where={place: name, 1: size}) for size in sizes]
            first.add_row(str(name), *cells, harmless.share(where={place: name}))
        first.add_section()
    cells = [harmless.share(where={1: size}) for size in sizes]
    first.add_row("all", *cells, harmless.share(where={}))
    console.print(first)
    for label in SHARES.values():
        title = f"caught: {label} of the window"
        second = Table("kind", *map(str, sizes), "all", title=title)
        for kind in dict.fromkeys(key[0] for key in broken.judged):
            cells = [broken.share(where={0: kind, 1: size, 2: label}) for size in sizes]
            second.add_row(kind, *cells, broken.share(where={0: kind, 2: label}))
        second.add_section()
        for name in dict.fromkeys(key[3] for key in broken.judged):
            cells = [broken.share(where={3: name, 1: size, 2: label}) for size in sizes]
            second.add_row(name, *cells, broken.share(where={3: name, 2: label}))
        second.add_section()
        cells = [broken.share(where={1: size, 2: label}) for size in sizes]
        second.add_row("all", *cells, broken.share(where={2: label}))
        console.print(second)
    wrong = Counter()
    for key, kinds in harmless.told.items():
        wrong.update({(key[0], key[2], kind): count for kind, count in kinds.items()})
    console.print("told of sound windows:", dict(wrong.most_common(25)))


if __name__ == "__main__":
    main()
