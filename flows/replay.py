"""Replay: what Driftline would have decided on a history, beside simpler policies and hindsight."""

from typing import Annotated

from pydantic import Field

from driftline.policies import Release
from driftline.replay import Replay
from flows.shared.running import Sections, driftline_flow
from flows.shared.summary import policy_rows
from tasks.data.cleaning import clean_rows
from tasks.data.problems import read_problem
from tasks.data.storage import write_report
from tasks.people.reporting import show_link, show_table
from tasks.progress import step
from tasks.reading.joins import read_complete
from tasks.replays import renewing, replay_page, replaying


@driftline_flow("replay", run_name="replay {problem}")
def replay(
    problem: str,
    source: str | None = None,
    order_by: str | None = None,
    windows: Annotated[int, Field(ge=3, le=200)] = 20,
    label_delay: Annotated[int, Field(ge=0)] = 0,
    candidate: str | None = None,
    release: Release = "next",
) -> Sections:
    """Live through a labelled history window by window, and recommend a policy's settings.

    Rows are ordered by a column (which the problem need not know) or stand as in the file. Labels
    of a window are known so many windows later. With `--release never` nobody releases what was
    quarantined. The models are gradient boosting's with its defaults, unless `--candidate` says so.
    """
    spec = read_problem(problem)
    named = None if candidate is None else renewing.choose_recipe(candidate, spec.target.kind)
    with step("read history"):
        raw, name, _ = read_complete(spec, source)
        ordered = replaying.order_rows(raw, order_by, spec)
        cleaned = clean_rows(ordered, spec, source=name)
        history = replaying.make_history(cleaned, spec, windows=windows)
    with step("make models"):
        recipe = named or renewing.suit_recipe(history)
        models = renewing.make_models(history, recipe)
    with step("try policies"):
        lived = Replay(history, models, delay=label_delay)
        tried = replaying.try_policies(lived, release=release)
    with step("write report"):
        facts = {
            "source": name,
            "order_by": order_by,
            "candidate": recipe.candidate,
            "left_out": len(raw) - len(history.table),
        }
        section = replay_page.replay_section(lived, tried, facts)
        stem = f"replay/{spec.name}-{renewing.key_of(history, recipe)[:12]}-{label_delay}-{release}"
        page = write_report(
            f"{stem}.html", replay_page.render_page(lived, section, tried, release=release)
        )
        document = write_report(f"{stem}.json", replay_page.render_document(section, tried))
        section |= {"report": page, "document": document}
        show_link("replay-report", page, f"replay of {spec.name}")
        show_table("policies", policy_rows({"replay": section}), f"policies on {name}")
    return {"replay": section}


if __name__ == "__main__":
    from flows.shared.command import run

    run(replay, ahead=("sklearn.ensemble", "evidently.presets", "river.drift"))
