"""The main job: ingest, train, package, and the first drift report."""

from typing import Annotated

from pydantic import Field

from flows.ingest import ingest
from flows.monitor import monitor
from flows.package import package
from flows.shared.running import Sections, driftline_flow
from flows.train import insist_on_promotion, least_folds, train
from tasks.progress import tell


@driftline_flow("pipeline", run_name="pipeline {problem}")
def pipeline(
    problem: str,
    source: str | None = None,
    folds: Annotated[int, Field(ge=2, le=50)] = 10,
    test_size: Annotated[float, Field(gt=0, lt=1)] = 0.25,
    seed: Annotated[int, Field(ge=0)] = 0,
    smoke: bool = False,
    require_promotion: bool = False,
) -> Sections:
    """From a source to a served champion and a drift report."""
    taken = ingest(problem, source, folds=least_folds(folds, smoke=smoke))
    sections = train(
        problem,
        snapshot=taken["snapshot"]["sha256"],
        folds=folds,
        test_size=test_size,
        seed=seed,
        smoke=smoke,
    )
    sections = sections | {key: taken[key] for key in ("snapshot", "validation")}
    if require_promotion:
        insist_on_promotion(sections)
    if sections["promotion"]["champion"] is None:
        tell("no champion, so nothing is packaged")
        return sections | pick(monitor(problem, model="challenger", holdout=True), "drift")
    packaged = package(problem)
    watched = monitor(problem, holdout=True)
    return sections | pick(packaged, "bento") | pick(watched, "drift")


def pick(sections: Sections, *names: str) -> Sections:
    """Some sections of another flow's summary."""
    return {name: sections[name] for name in names}


if __name__ == "__main__":
    from flows.shared.command import run

    run(
        pipeline,
        ahead=(
            "sklearn.ensemble",
            "skops.io",  # looks through all that is imported, and so is quick before the others
            "great_expectations",
            "mlflow.sklearn",
            "evidently.presets",
        ),
    )
