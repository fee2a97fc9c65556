"""How often sound windows are quarantined, and how many broken ones are caught.

    python -m tests.benchmarks.decisions.quarantine [--seeds 10] [--tuning] [--most-rows 20000]

Each seed parts every table anew, draws windows of each size, and breaks copies of them. No model is
made, so a seed takes seconds. Shares come with Wilson's 95 % intervals.
"""

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from driftline.reference import BOUND, Reference, fit_reference, weigh_window
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
from tests.benchmarks.decisions.tally import Share

SHARES = {1.0: "whole", 0.3: "30 %"}
HARMLESS_DRAWS = 1
WIDTH = 170
KINDS_A_WINDOW = 8  # of all, drawn anew for each size and seed
BOUNDS = (3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0)


@dataclass
class Tally:
    """Strongest evidence of each window that was judged, by whatever key."""

    evidence: defaultdict[tuple, list[float]] = field(default_factory=lambda: defaultdict(list))
    told: Counter = field(default_factory=Counter)

    def judge(self, key: tuple, reference: Reference, window: pd.DataFrame) -> None:
        """Count one window."""
        found = weigh_window(reference, window, bound=BOUNDS[0])
        self.evidence[key].append(found[0].evidence if found else 0.0)
        if found and found[0].evidence > BOUND:
            self.told[(*key, found[0].column, found[0].kind)] += 1

    def share(self, *, where: dict[int, object], bound: float = BOUND) -> str:
        """The share caught among keys with these parts, as text with its interval and count."""
        found = [
            evidence
            for key, each in self.evidence.items()
            if all(key[i] == value for i, value in where.items())
            for evidence in each
        ]
        caught = sum(evidence > bound for evidence in found)
        return Share(caught, len(found)).text


def main() -> None:
    """Run the streams and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tuning", action="store_true", help="the seeds that knobs may look at")
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--skip", type=int, default=0, help="seeds to leave out first")
    parser.add_argument("--most-rows", type=int, default=2_000)
    options = parser.parse_args()
    seeds = (TUNING_SEEDS if options.tuning else REPORTING_SEEDS)[options.skip :][: options.seeds]
    harmless, broken = Tally(), Tally()
    wanted = [each for each in load_tables() if not options.tables or each.name in options.tables]
    related: dict[str, dict[str, float]] = {}
    try:
        with threadpool_limits(1):
            for seed in seeds:
                for table in wanted:
                    rng = np.random.default_rng(seed)
                    stream = cut_stream(table, rng)
                    if table.name not in related:
                        related[table.name] = relate_columns(stream)
                    known = related[table.name]
                    run_stream(stream, rng, harmless, broken, known, options.most_rows)
    except KeyboardInterrupt:
        print("stopped: what follows is of the streams so far")  # noqa: T201
    print_tallies(Console(width=WIDTH), harmless, broken)


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
    reference = fit_reference(stream.reference, table.problem)
    for size in (size for size in stream.sizes if size <= most_rows):
        for name, shift in HARMLESS.items():
            for _ in range(HARMLESS_DRAWS if size < 20_000 else 1):
                window = shift(stream, size, rng)
                if window is None:
                    continue
                harmless.judge((table.name, size, name), reference, window)
        kinds = list(rng.permutation(list(KINDS)))[:KINDS_A_WINDOW]
        for kind in kinds:
            for share, label in SHARES.items():
                window = stream.draw(size, rng)
                bad = corrupt(window, kind, table.problem, rng, share=share, related=related)
                if bad is not None:
                    broken.judge((kind, size, label, table.name), reference, bad)


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
    sizes = [size for size in SIZES if any(key[1] == size for key in harmless.evidence)]
    first = Table("sound windows", *map(str, sizes), "all", title="quarantined though sound")
    for place in (0, 2):
        for name in dict.fromkeys(key[place] for key in harmless.evidence):
            cells = [harmless.share(where={place: name, 1: size}) for size in sizes]
            first.add_row(str(name), *cells, harmless.share(where={place: name}))
        first.add_section()
    cells = [harmless.share(where={1: size}) for size in sizes]
    first.add_row("all", *cells, harmless.share(where={}))
    console.print(first)
    for label in SHARES.values():
        title = f"caught: {label} of the window"
        second = Table("kind", *map(str, sizes), "all", title=title)
        for kind in dict.fromkeys(key[0] for key in broken.evidence):
            cells = [broken.share(where={0: kind, 1: size, 2: label}) for size in sizes]
            second.add_row(kind, *cells, broken.share(where={0: kind, 2: label}))
        second.add_section()
        for name in dict.fromkeys(key[3] for key in broken.evidence):
            cells = [broken.share(where={3: name, 1: size, 2: label}) for size in sizes]
            second.add_row(name, *cells, broken.share(where={3: name, 2: label}))
        second.add_section()
        cells = [broken.share(where={1: size, 2: label}) for size in sizes]
        second.add_row("all", *cells, broken.share(where={2: label}))
        console.print(second)
    print_trade(console, harmless, broken)
    console.print("told of sound windows:", dict(harmless.told.most_common(25)))


def print_trade(console: Console, harmless: Tally, broken: Tally) -> None:
    """What each bound of the evidence would quarantine."""
    labels = list(SHARES.values())
    table = Table("bound", "sound", *labels, title="quarantined by the bound of the evidence, nats")
    for bound in BOUNDS:
        cells = [broken.share(where={2: label}, bound=bound) for label in labels]
        table.add_row(f"{bound:g}", harmless.share(where={}, bound=bound), *cells)
    console.print(table)


if __name__ == "__main__":
    main()
