import io

import numpy as np
import pytest

from driftline.figures import draw_figures, draw_importance
from driftline.metrics import score_rows


@pytest.mark.slow
@pytest.mark.parametrize("classes", [("well", "ill"), ("low", "even", "high")])
def test_every_picture_can_be_saved(classes: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, len(classes), 60)
    is_binary = len(classes) == 2
    scored = score_rows(
        rng.dirichlet(np.ones(len(classes)), 60),
        y,
        positive=1 if is_binary else None,
        threshold=0.5 if is_binary else None,
    )

    figures = draw_figures(scored, classes)

    assert set(figures) == {"confusion_matrix", "roc", "precision_recall", "calibration"}
    for figure in figures.values():
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=30)
        assert file.getvalue().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_strongest_feature_stands_on_top() -> None:
    figure = draw_importance(("age", "level"), np.array([0.1, 0.4]), np.array([0.0, 0.1]))

    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[-1] == "level"
