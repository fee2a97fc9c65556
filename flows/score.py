"""Score: answer a whole table, log every answer, and write Parquet; an interrupted run resumes."""

from flows.running import Sections, driftline_flow
from tasks import scoring
from tasks.files import is_stored, locate
from tasks.problems import read_problem
from tasks.progress import step, tell
from tasks.registry import read_model
from tasks.sources import read_source
from tasks.storage import write_table


@driftline_flow("score", run_name="score {problem}")
def score(problem: str, source: str | None = None, output: str | None = None) -> Sections:
    """Score a source in chunks into a folder of Parquet files; chunks that are there are kept."""
    spec = read_problem(problem)
    with step("read"):
        champion = read_model(spec, "champion")
        table, name = read_source(spec, source)
        table = scoring.without_target(table, spec)
    folder = output or locate("scores", spec.name, scoring.name_of(champion, name))
    left_out = answered = 0
    with step("score"):
        for chunk in scoring.chunks_of(table):
            address = f"{folder}/part-{chunk.number:05d}.parquet"
            if is_stored(address):
                tell(f"chunk {chunk.number}: there already")
                continue
            scored, bad = scoring.score_chunk(chunk, spec, champion, source=name)
            write_table(address, scored)
            answered, left_out = answered + len(scored), left_out + bad
            tell(f"chunk {chunk.number}: {answered} of {len(table)} rows answered")
    return {
        "scores": {"path": folder, "rows": answered, "left_out": left_out},
        "model": {"name": spec.name, "version": champion.version},
    }


if __name__ == "__main__":
    from flows.command import run

    run(score, ahead=("mlflow",))
