"""Score: answer a whole table, log every answer, and write Parquet; an interrupted run resumes."""

from collections import Counter
from collections.abc import Iterator
from itertools import count

from flows.shared.aliases import read_fitting
from flows.shared.running import Sections, driftline_flow
from tasks.cluster import begin_imports, is_clustered
from tasks.data.problems import read_problem
from tasks.log import parts, scoring
from tasks.log.answering import IMPORTED, Rows
from tasks.progress import bar, step, tell
from tasks.reading import joins, sources
from tasks.reading.streams import Stream


@driftline_flow("score", run_name="score {problem}")
def score(problem: str, source: str | None = None, output: str | None = None) -> Sections:
    """Score a source in pieces into a folder of Parquet files; parts that are there are kept."""
    spec = read_problem(problem)
    begin_imports(IMPORTED)
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
    counts: Counter[str] = Counter()
    with step("score"), bar("rows scored") as advance:
        for rows, answered in scoring.score_parts(scorer, find_rows(stream, scorer, counts)):
            counts["answered"] += answered
            advance(rows.share)
        if counts["resumed"]:
            tell(f"{counts['resumed']} parts were there already")
        tell(f"{counts['answered']} of {counts['rows']} rows answered")
    left_out = counts["rows"] - counts["answered"]
    return {
        "scores": {"path": scorer.folder, "rows": counts["answered"], "left_out": left_out},
        "model": {"name": spec.name, "version": champion.version},
    }


def find_rows(stream: Stream, scorer: scoring.Scorer, counts: Counter[str]) -> Iterator[Rows]:
    """The pieces that are not answered yet, in order; those that are, are counted."""
    for number in count():
        piece = sources.read_piece(stream, number)
        if piece is None:
            return
        found = scoring.find_part(scorer, number)
        first = counts["rows"]
        counts["rows"] += len(piece.rows)
        if found is None:
            yield Rows(number, first, piece.share, piece.rows)
        else:
            counts.update(answered=found, resumed=1)


if __name__ == "__main__":
    from flows.shared.command import run

    run(score, ahead=("mlflow", "distributed") if is_clustered() else ("mlflow",))
