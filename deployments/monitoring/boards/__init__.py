"""The three dashboards: the service, the model, the loop."""

from typing import Final

from deployments.monitoring.boards.loop import LOOP_BOARD
from deployments.monitoring.boards.model import MODEL_BOARD
from deployments.monitoring.boards.service import SERVICE_BOARD

BOARDS: Final = (SERVICE_BOARD, MODEL_BOARD, LOOP_BOARD)
