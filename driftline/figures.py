"""Pictures of a model on its test rows, as matplotlib figures; nothing is shown or saved here."""

from typing import TYPE_CHECKING

import numpy as np

from driftline.metrics import Scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_INCHES = (4.6, 4.0)
_BINS = 10


def draw_figures(scored: Scored, classes: tuple[str, ...]) -> dict[str, "Figure"]:
    """Confusion matrix, ROC, precision-recall and calibration, by file name without ending."""
    curves = _curves_of(scored, classes)
    return {
        "confusion_matrix": draw(_confusion, scored, classes),
        "roc": draw(_roc, curves),
        "precision_recall": draw(_precision_recall, curves),
        "calibration": draw(_calibration, curves),
    }


def draw_importance(names: tuple[str, ...], means: np.ndarray, stds: np.ndarray) -> "Figure":
    """Permutation importance of the strongest features, strongest on top."""
    order = np.argsort(means)[-15:]

    def bars(axes: "Axes") -> None:
        axes.barh([names[i] for i in order], means[order], xerr=stds[order], color="#3b6ea5")
        axes.set_xlabel("score lost when the feature is shuffled")

    return draw(bars)


def draw(paint, *values: object) -> "Figure":  # type: ignore[no-untyped-def] # noqa: ANN001
    """A figure that `paint` fills: it takes the axes, then the values."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, dpi=90, layout="constrained")
    paint(figure.subplots(), *values)
    return figure


def _curves_of(
    scored: Scored, classes: tuple[str, ...]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(truth, probability) of the positive class, or of every class where there are more."""
    indices = range(len(classes)) if scored.positive is None else [scored.positive]
    return {classes[k]: (scored.y == k, scored.probabilities[:, k]) for k in indices}


def _confusion(axes: "Axes", scored: Scored, classes: tuple[str, ...]) -> None:
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (scored.y, scored.predicted), 1)
    axes.imshow(counts, cmap="Blues")
    for (i, j), count in np.ndenumerate(counts):
        colour = "white" if count > counts.max() / 2 else "black"
        axes.text(j, i, str(count), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")


def _roc(axes: "Axes", curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    from sklearn.metrics import roc_curve

    for name, (truth, p) in curves.items():
        false_rate, true_rate, _ = roc_curve(truth, p)
        axes.plot(false_rate, true_rate, label=name)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.legend()


def _precision_recall(axes: "Axes", curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    from sklearn.metrics import precision_recall_curve

    for name, (truth, p) in curves.items():
        precision, recall, _ = precision_recall_curve(truth, p)
        axes.plot(recall, precision, label=name)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.legend()


def _calibration(axes: "Axes", curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    edges = np.linspace(0, 1, _BINS + 1)
    for name, (truth, p) in curves.items():
        bins = np.clip(np.digitize(p, edges) - 1, 0, _BINS - 1)
        filled = [k for k in range(_BINS) if (bins == k).any()]
        means = [p[bins == k].mean() for k in filled]
        shares = [truth[bins == k].mean() for k in filled]
        axes.plot(means, shares, marker="o", label=name)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("observed share")
    axes.legend()
