"""Score: answer a whole table, log every answer, and write Parquet; an interrupted run resumes."""

from itertools import count

from flows.shared.aliases import read_fitting
from flows.shared.running import Sections, driftline_flow
from tasks.data.problems import read_problem
from tasks.log import parts, scoring
from tasks.progress import bar, step, tell
from tasks.reading import joins, sources


@driftline_flow("score", run_name="score {problem}")
def score(problem: str, source: str | None = None, output: str | None = None) -> Sections:
    """Score a source in pieces into a folder of Parquet files; parts that are there are kept."""
    spec = read_problem(problem)
    parts.forget_parts(spec)
    with step("open"):
        champion = read_fitting(spec)
        stream = sources.open_source(spec, source, rows=scoring.PIECE_ROWS)
        timelines = joins.read_timelines(spec) if spec.joins else {}
    scorer = scoring.Scorer(
        spec,
        champion,
        source=stream.name,
        sha256=stream.sha256,
        output=output,
        timelines=timelines,
    )
    rows = answered = resumed = 0
    with step("score"), bar("rows scored") as advance:
        for number in count():
            piece = sources.read_piece(stream, number)
            if piece is None:
                break
            found = scoring.find_part(scorer, number)
            if found is None:
                answered += scoring.score_part(scorer, number, piece.rows, start=rows)
            else:
                answered, resumed = answered + found, resumed + 1
            rows += len(piece.rows)
            advance(piece.share)
        if resumed:
            tell(f"{resumed} parts were there already")
        tell(f"{answered} of {rows} rows answered")
    return {
        "scores": {"path": scorer.folder, "rows": answered, "left_out": rows - answered},
        "model": {"name": spec.name, "version": champion.version},
    }


if __name__ == "__main__":
    from flows.shared.command import run

    run(score, ahead=("mlflow",))
