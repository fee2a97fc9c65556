"""How the summary of a run reads: as rows for the terminal, and as markdown for the Prefect UI."""

from collections.abc import Iterable, Mapping
from typing import Any

Summary = Mapping[str, Any]
Row = tuple[str, str]

USUAL_PROBLEM = "breast_cancer"  # what `make` is about where no PROBLEM is named
SERVED = {"bento", "scores", "drift", "environments"}  # sections of runs that needed a champion
COMMON_METRICS = ("accuracy", "precision", "recall", "roc_auc", "mae", "r2")


def summary_rows(summary: Summary) -> list[Row]:
    """(what, how it went), for each section that the summary has."""
    rows: list[Row] = [("run", f"{summary['flow']} of {summary['problem']} ({summary['run_id']})")]
    rows += [row for section in _SECTIONS for row in section(summary)]
    return rows


def summary_markdown(summary: Summary) -> str:
    """The same rows as a markdown table."""
    lines = ["| what | how it went |", "|---|---|"]
    lines += [f"| {what} | {how.replace('|', '/')} |" for what, how in summary_rows(summary)]
    return "\n".join(lines)


def candidate_rows(summary: Summary) -> list[dict[str, Any]]:
    """One row per candidate for a table, its figures rounded."""
    return [
        {"candidate": one["name"]}
        | {f"cv {name}": _figure(value) for name, value in one["cv"].items()}
        | {f"test {name}": _figure(value) for name, value in one["test"].items()}
        for one in summary.get("candidates", [])
    ]


def next_steps(summary: Summary) -> list[Row]:
    """(command, what for) that are of use after this run."""
    problem = summary["problem"]
    of_problem = f" PROBLEM={problem}" if problem not in {"", USUAL_PROBLEM} else ""
    promotion = summary.get("promotion")
    is_served = bool(promotion.get("champion") if promotion else SERVED & set(summary))
    served = [(f"make serve{of_problem}", "answer HTTP with the champion")]
    return [
        *(served if is_served else []),
        ("make mlflow", "every run, figure and model in MLflow"),
        ("make prefect", "every flow and task in Prefect"),
    ]


def policy_rows(summary: Summary) -> list[dict[str, Any]]:
    """One row per policy of a replay for a table, its figures rounded."""
    return [
        {name.replace("_", " "): _figure(value) for name, value in one.items() if value is not None}
        for one in summary.get("replay", {}).get("policies", [])
    ]


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _dataset(summary: Summary) -> Iterable[Row]:
    if "snapshot" in summary:
        snapshot = summary["snapshot"]
        set_aside = f", {snapshot['quarantined']} set aside" if snapshot["quarantined"] else ""
        source = f", from {snapshot['source']}" if "source" in snapshot else ""
        told = f"{snapshot['rows']} rows{set_aside}, sha256 {snapshot['sha256'][:12]}{source}"
        yield "dataset", told
        if "profile" in snapshot:
            yield "profile", snapshot["profile"]
        if "read_as" in snapshot:
            yield "read as", snapshot["read_as"]


def _validation(summary: Summary) -> Iterable[Row]:
    if "validation" in summary:
        validation = summary["validation"]
        state = "passed" if validation["success"] else "failed"
        failed = "; ".join(validation["failed"])
        yield "validation", state + (f"; noted: {failed}" if failed else "")
        yield "data docs", validation["report"]


def _candidates(summary: Summary) -> Iterable[Row]:
    goal = summary.get("goal", {})
    aimed = [
        name
        for name in (goal.get("maximise"), goal.get("minimise"), *goal.get("subject_to", {}))
        if name
    ]
    for one in summary.get("candidates", []):
        cv, test = one["cv"], one["test"]
        parts = []
        for metric in dict.fromkeys((*aimed, *COMMON_METRICS)):
            if f"{metric}_mean" in cv:
                mean, std = cv[f"{metric}_mean"], cv[f"{metric}_std"]
                parts.append(f"{metric} {mean:.3f} ± {std:.3f} (test {test.get(metric, 0):.3f})")
        mark = " *" if one.get("is_winner") else ""
        yield f"  {one['name']}{mark}", ", ".join(parts)
    for sentence in summary.get("bounds", []):
        yield "  bounded", sentence


def _winner(summary: Summary) -> Iterable[Row]:
    intervals = summary.get("intervals", {})
    metrics = summary.get("metrics", {})
    shown = [
        f"{name} {metrics[f'test_{name}']:.4f} [{low:.3f}, {high:.3f}]"
        for name, (low, high) in intervals.items()
        if f"test_{name}" in metrics
    ]
    if shown:
        yield "winner on test rows", ", ".join(shown)


def _classes(summary: Summary) -> Iterable[Row]:
    shown = [
        f"{one['name']} {one['recall']:.3f} [{one['low']:.3f}, {one['high']:.3f}] of {one['rows']}"
        for one in summary.get("classes", [])
    ]
    if shown:
        yield "found of each class", ", ".join(shown)
    off_by = summary.get("off_by", [])
    if off_by:
        right, *wrong = (f"{share:.1%}" for share in off_by)
        told = [f"{share} {places} off" for places, share in enumerate(wrong, 1)]
        yield "classes off", f"right {right}, {', '.join(told)}"
    for sentence in summary.get("unfound", []):
        yield "to know", sentence


def _prediction_intervals(summary: Summary) -> Iterable[Row]:
    if "prediction_intervals" in summary:
        one = summary["prediction_intervals"]
        bounds = f"{one['measured']:.1%} [{one['low']:.3f}, {one['high']:.3f}]"
        told = f"held the truth of {bounds} of {one['rows']} test rows"
        yield "prediction intervals", f"± {one['reach']:.4g} for {one['wanted']:.0%}; {told}"


def _gate(summary: Summary) -> Iterable[Row]:
    if "promotion" in summary:
        promotion = summary["promotion"]
        yield "gate", f"{promotion['verdict']}: {'; '.join(promotion['reasons'])}"
        champion = promotion.get("champion")
        yield "champion", f"version {champion}" if champion else "none yet"


def _parity(summary: Summary) -> Iterable[Row]:
    if "parity" in summary:
        parity = summary["parity"]
        if "max_relative_difference" in parity:
            gap = parity["max_relative_difference"]
            yield (
                "ONNX parity",
                f"{parity['rows']} rows, largest difference {gap:.1e} of their spread",
            )
            return
        labels = "labels equal" if parity["labels_equal"] else "LABELS DIFFER"
        gap = parity["max_probability_difference"]
        yield "ONNX parity", f"{parity['rows']} rows, {labels}, largest difference {gap:.1e}"


def _bento(summary: Summary) -> Iterable[Row]:
    if "bento" in summary:
        yield "bento", f"{summary['bento']['tag']} in {summary['bento']['path']}"


def _packed(summary: Summary) -> Iterable[Row]:
    if "image" in summary:
        yield "image", f"{summary['image']['tag']}, {summary['image']['megabytes']} MB"
    if "lambda" in summary:
        archive = summary["lambda"]
        digest = archive["sha256"][:12]
        yield "lambda", f"{archive['path']}, {archive['megabytes']} MB, sha256 {digest}"


def _evidence(summary: Summary) -> Iterable[Row]:
    if "evidence" in summary:
        evidence = summary["evidence"]
        if "card" in evidence:
            yield "model card", evidence["card"]
        if "path" in evidence:
            signed = "signed" if evidence["is_signed"] else "not signed (DRIFTLINE_EVIDENCE_KEY)"
            yield "evidence", f"{evidence['path']}, {signed}"


def _environments(summary: Summary) -> Iterable[Row]:
    for one in summary.get("environments", []):
        figures = []
        if one["state"] != "not run" and one["rows"]:
            figures = [f"{one['rows']} rows", f"{one['max_probability_difference']:.1e}"]
        yield one["name"], ", ".join([one["state"], *figures, *filter(None, [one["why"]])])
    if "environments" in summary:
        yield "report", summary["report"]


def _drift(summary: Summary) -> Iterable[Row]:
    if "drift" in summary:
        drift = summary["drift"]
        yield "drift", f"{drift['verdict']}: {'; '.join(drift['reasons'][:3])}"
        if "judged" in drift:
            yield "judged", drift["judged"]
        if "report" in drift:
            yield "drift report", drift["report"]


def _trial(summary: Summary) -> Iterable[Row]:
    if "trial" in summary:
        trial = summary["trial"]
        beside = f"version {trial['version']} beside {trial['champion']}, share {trial['share']:g}"
        yield "trial", f"{trial['verdict']}: {trial['reason']} ({beside})"


def _scores(summary: Summary) -> Iterable[Row]:
    if "scores" in summary:
        scores = summary["scores"]
        refused = f", {scores['left_out']} refused" if scores["left_out"] else ""
        yield "scores", f"{scores['rows']} rows{refused}, in {scores['path']}"


def _labels(summary: Summary) -> Iterable[Row]:
    if "labels" in summary:
        labels = summary["labels"]
        yield "labels", ", ".join(f"{count} {name}" for name, count in labels.items())


def _replay(summary: Summary) -> Iterable[Row]:
    if "replay" not in summary:
        return
    replay = summary["replay"]
    order = f"by {replay['order_by']}" if replay["order_by"] else "as they stand"
    left_out = f", {replay['left_out']} left out" if replay["left_out"] else ""
    yield "history", f"{replay['rows']} rows{left_out} in {replay['windows']} windows, {order}"
    for one in replay["policies"]:
        yield f"  {one['name']}", _policy(one)
    yield "recommendation", replay["recommendation"]
    yield "report", replay["report"]


def _policy(one: Mapping[str, Any]) -> str:
    share = one["share_of_gain"]
    parts = [
        f"loss {one['loss']:.4f}",
        f"{one['full']} trainings and {one['refits']} refits",
        f"{one['promotions']} new champions",
        *([] if share is None else [f"{share:.0%} of the gain"]),
        f"regret {one['regret']:.4f}",
    ]
    return ", ".join(parts)


def _seconds(summary: Summary) -> Iterable[Row]:
    if summary.get("seconds"):
        steps = ", ".join(f"{name} {taken:.1f}" for name, taken in summary["seconds"].items())
        yield "seconds", steps


_SECTIONS = (
    _dataset,
    _validation,
    _candidates,
    _winner,
    _classes,
    _prediction_intervals,
    _gate,
    _parity,
    _bento,
    _packed,
    _evidence,
    _environments,
    _drift,
    _trial,
    _scores,
    _labels,
    _replay,
    _seconds,
)
