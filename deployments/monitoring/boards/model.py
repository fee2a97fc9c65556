"""What the dashboard of the models shows: answers, inputs, drift, performance."""

from typing import Final

from deployments.monitoring.boards.panels import Board, Panel
from deployments.monitoring.boards.promql import MINE, quantile, rate, since

ANSWERS: Final = (
    Panel(
        "Version",
        "Who serves, by its number",
        {"{{problem}} version {{version}}": f"driftline_model_info{{{MINE}}}"},
        kind="states",
    ),
    Panel(
        "Predictions",
        "By class; counted in steps of 20",
        {"{{problem}} {{class}}": rate("driftline_predictions_total", "problem", "class")},
        "cps",
    ),
    Panel(
        "Risk bands",
        "Predictions by risk band",
        {"{{problem}} {{band}}": rate("driftline_risk_bands_total", "problem", "band")},
        "cps",
    ),
    Panel(
        "Confidence",
        "Probability of the class decided for: one of ten, and half, are at most so sure",
        {
            "one of ten {{problem}}": quantile(0.1, "driftline_confidence", "problem"),
            "half {{problem}}": quantile(0.5, "driftline_confidence", "problem"),
        },
        "percentunit",
    ),
)
INPUTS: Final = (
    Panel(
        "Median of each number",
        "Over the contract's ten bins, so a coarse one",
        {"{{problem}} {{field}}": quantile(0.5, "driftline_input_value", "problem", "field")},
    ),
    Panel(
        "Missing values",
        "A second, by field",
        {"{{problem}} {{field}}": rate("driftline_missing_values_total", "problem", "field")},
        "cps",
    ),
    Panel(
        "Refused records",
        "Share of records that the contract did not let in",
        {"{{problem}} {{instance}}": f"driftline:refused_records:ratio{{{MINE}}}"},
        "percentunit",
    ),
    Panel(
        "Refusals by field",
        "Which field, and what is wrong with it",
        {
            "{{problem}} {{field}} {{kind}}": rate(
                "driftline_refused_fields_total", "problem", "field", "kind"
            )
        },
        "cps",
    ),
)
DRIFT: Final = (
    Panel(
        "Verdict",
        "The newest verdict on the champion",
        {"{{problem}} {{verdict}}": f"driftline_verdict_state{{{MINE}}}"},
        kind="states",
    ),
    Panel(
        "Since the newest verdict",
        "Monitoring runs by its schedule and by counts of labels",
        {"{{problem}}": since("verdict")},
        "s",
        "number",
    ),
    Panel(
        "Quarantines",
        "Windows that wait for a person",
        {"{{problem}}": f"driftline_quarantines_waiting{{{MINE}}}"},
        kind="number",
    ),
)
PERFORMANCE: Final = (
    Panel(
        "All figures",
        "On the newest labelled answers",
        {"{{problem}} {{metric}}": f"driftline_performance{{{MINE}}}"},
    ),
    Panel(
        "Performance and its gate",
        "What the gates bound, with its 95 % interval",
        {
            "{{problem}} {{metric}} from": f"driftline_performance_low{{{MINE}}} and on "
            "(problem, metric) driftline_performance_gate",
            "{{problem}} {{metric}} to": f"driftline_performance_high{{{MINE}}} and on "
            "(problem, metric) driftline_performance_gate",
            "{{problem}} {{metric}} {{bound}}": f"driftline_performance_gate{{{MINE}}}",
        },
    ),
    Panel(
        "Labelled answers",
        "That the figures rest on",
        {"{{problem}}": f"driftline_performance_rows{{{MINE}}}"},
        kind="number",
    ),
)
MODEL_BOARD: Final = Board(
    "driftline-model",
    "Driftline: model",
    "driftline_problem_readable",
    {"Answers": ANSWERS, "Inputs": INPUTS, "Drift": DRIFT, "Performance": PERFORMANCE},
)
