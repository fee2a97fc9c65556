import json

from driftline.evidence import Labels
from driftline.findings import Inputs
from driftline.refusals import Refusals
from driftline.standing import Standing
from driftline.verdicts import DriftDecision, Evidence, Window
from tasks.watch.verdict_document import as_document, describe, write_document
from tests.support import tiny_rows


def labels(state: dict[str, object]) -> Labels:
    rows = tiny_rows(3)
    window = Window(rows, rows, first=1, last=3, last_label=2, seen=0, seen_label=0, state=state)
    return Labels(window, None, Standing())


def test_the_document_holds_the_verdict_and_what_the_next_look_needs() -> None:
    decision = DriftDecision("ok", ("no change",))
    found = labels({})

    document = as_document(
        decision, Evidence(rows=3), Inputs(3), found, refusals=Refusals(last=7), is_aside=False
    )

    read = json.loads(write_document(decision, document))
    assert (read["verdict"], read["last_refusal"], read["standing"]["rows"]) == ("ok", 7, 0)


def test_a_verdict_on_a_file_leaves_what_the_log_has_shown() -> None:
    kept = {"told": {"age": 2.0}, "last_refusal": 4, "rows": 99, "verdict": "ok"}

    document = as_document(
        DriftDecision("watch", ("age changed",)),
        Evidence(rows=3),
        Inputs(3),
        labels(kept),
        refusals=Refusals(last=4),
        is_aside=True,
    )

    assert document["told"] == {"age": 2.0}
    assert (document["rows"], document["verdict"]) == (3, "watch")


def test_the_verdict_reads_as_a_table() -> None:
    text = describe(DriftDecision("ok", ("no change",)), Evidence(rows=3))

    assert text.startswith("## ok\n\n- no change\n")
