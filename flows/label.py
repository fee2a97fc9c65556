"""Label: bring the true labels of a file into the prediction log; what is there stays as it is."""

from collections import Counter
from itertools import count

from driftline.errors import SourceError
from flows.shared.running import Sections, driftline_flow
from tasks.data.problems import read_problem
from tasks.log import labels
from tasks.progress import bar, step, tell
from tasks.reading import sources


@driftline_flow("label", run_name="label {problem}")
def label(problem: str, source: str | None = None) -> Sections:
    """Add the labels of a file of prediction ids and classes; doing it again changes nothing."""
    spec = read_problem(problem)
    if source is None:
        message = "--source: missing; wanted a table of prediction_id and label"
        raise SourceError(message)
    stream = sources.open_source(spec, source, rows=labels.PIECE_ROWS, names=labels.NAMES)
    counts: Counter[str] = Counter()
    with step("label"), bar("labels") as advance:
        for number in count():
            piece = sources.read_piece(stream, number)
            if piece is None:
                break
            counts.update(labels.add_labels(spec, piece.rows, source=stream.name))
            advance(piece.share)
        labels.refuse_useless(spec, counts, source=stream.name)
        checks = labels.order_checks(spec)
    tell(", ".join(f"{name} {number}" for name, number in counts.items()))
    return {"labels": {**counts, "checks": checks}}


if __name__ == "__main__":
    from flows.shared.command import run

    run(label)
