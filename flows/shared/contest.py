"""Who takes part in a training, on which rows, and who wins: the best that can also be served."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from driftline.dataset import Dataset, Plan
from driftline.export import Exported
from driftline.problem import Problem
from driftline.training import Trained
from flows.shared.aliases import read_rival, settle_aliases
from flows.shared.leftovers import end_left_runs
from tasks.cluster import is_clustered
from tasks.data.cleaning import clean_labelled
from tasks.data.portions import take_portion
from tasks.data.storage import Origin, read_snapshot, write_snapshot
from tasks.log import predictions
from tasks.models import training
from tasks.models.mirror import check_second_tracker
from tasks.models.threads import side_by_side
from tasks.models.tracking import restore_experiment
from tasks.progress import step, tell

BASELINE = "dummy"


@dataclass(frozen=True)
class Contest:
    """What the candidates were fitted and compared on, who won, and what the budget left out."""

    spec: Problem
    plan: Plan
    snapshot: str
    dataset: Dataset
    trained: list[Trained]
    winner: Trained
    exported: Exported
    bounds: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there were, to learn from and to test on."""
        return len(self.dataset.train_digests) + len(self.dataset.test_digests)


def compete(spec: Problem, snapshot: str, make_plan: Callable[..., Plan]) -> Contest:
    """Split, fit every candidate, choose, and export the winner; the plan is for so many `rows`.

    Labelled predictions join the rows where there are enough of them; the newest stay out as test.
    """
    with side_by_side():
        return _compete(spec, snapshot, make_plan)


def _compete(spec: Problem, snapshot: str, make_plan: Callable[..., Plan]) -> Contest:
    with step("split"):
        snapshot, left_out = take_portion(snapshot, spec)
        table, digests = read_snapshot(snapshot)
        plan = make_plan(rows=len(table))
        if not is_clustered():
            training.expect_fits(spec, len(table), plan)
        restore_experiment(spec)
        check_second_tracker()
        end_left_runs(spec)
        settle_aliases(spec.name)
        labelled = clean_labelled(predictions.read_labelled(spec), spec)
        champion, why_not = read_rival(spec)
        if why_not:
            tell(why_not)
        renewed = training.renew_rows(table, labelled, spec, champion, plan)
        if renewed is None:
            dataset = training.split_rows(table, digests, spec, plan)
        else:
            origin = Origin(f"snapshot {snapshot[:12]}, labelled predictions", problem=spec.name)
            snapshot = write_snapshot(renewed.table, renewed.table.head(0), origin).sha256
            dataset = renewed.dataset
    rows = len(dataset.train_digests) + len(dataset.test_digests)
    candidates = training.plan_candidates(spec, champion, rows, may_refit=renewed is not None)
    candidates, plan, bounds = training.bound_work(candidates, spec, dataset, plan)
    bounds = left_out + bounds
    searched = training.searched_rows(candidates, champion, rows)
    with step("fit"):
        if is_clustered():
            trained = training.train_on_cluster(candidates, spec, dataset, plan)
        else:
            trained = [
                training.train_candidate(name, spec, dataset, plan, params)
                for name, params in candidates.items()
            ]
    winner, exported = choose(trained, spec, dataset, plan, snapshot, searched_rows=searched)
    bounds += tuple(sentence for one in trained for sentence in one.bounds)
    bounds += tuple(sentence for sentence in winner.bounds if sentence not in bounds)
    return Contest(spec, plan, snapshot, dataset, trained, winner, exported, bounds)


def choose(
    trained: Sequence[Trained],
    spec: Problem,
    dataset: Dataset,
    plan: Plan,
    snapshot: str,
    *,
    searched_rows: int,
) -> tuple[Trained, Exported]:
    """The best candidate that its export answers like; the very best where there is no such one."""
    left, best = list(trained), None
    while best is None or any(one.name != BASELINE for one in left):
        with step("choose"):
            winner = training.choose_winner(left, spec, dataset, plan)
            if dataset.is_renewed:
                winner = training.renew_winner(winner, spec, dataset, plan)
        with step("export"):
            exported = training.export_model(
                winner, spec, dataset, snapshot, searched_rows=searched_rows, seed=plan.seed
            )
        if exported.parity.is_kept:
            return winner, exported
        best = best or (winner, exported)
        tell(f"{winner.name}: its ONNX file answers differently ({exported.parity.gap})")
        left = [one for one in left if one.name != winner.name]
    return best
