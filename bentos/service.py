"""The BentoML service: `bentoml serve bentos.service:Service`, alone or inside a bento.

Serves the `contract.json` and `model.onnx` that lie beside the code, or in `DRIFTLINE_MODEL_DIR`.
"""

import logging
import os
from pathlib import Path
from typing import Any

import bentoml
from _bentoml_sdk import Service as BentoService  # what `bentoml.service(service_class=...)` takes

from bentos.api import Api
from bentos.hotpath import HotPath
from bentos.predictor import load_predictor

HOT_PATH = HotPath()


def model_folder() -> Path:
    """Where the model lies."""
    beside_code = Path(__file__).resolve().parent.parent
    return Path(os.environ.get("DRIFTLINE_MODEL_DIR", beside_code))


class DriftlineService(BentoService):  # type: ignore[misc] # bentoml has no usable types
    """Puts the hot path outside of BentoML's own layers."""

    def to_asgi(self, is_main: bool = True) -> Any:
        """The application that the worker serves."""
        HOT_PATH.fallback = super().to_asgi(is_main=is_main)
        return HOT_PATH


@bentoml.service(
    service_class=DriftlineService,
    workers=1,
    logging={"access": {"enabled": False}},
    monitoring={"enabled": False},
    traffic={"timeout": 30},
)
class Service:
    """Answers for one model."""

    @bentoml.on_deployment  # type: ignore[untyped-decorator] # bentoml has no usable types
    def check_model() -> None:
        """Refuse to start at all with files that do not belong together."""
        load_predictor(model_folder())

    def __init__(self) -> None:
        """Load the model in the worker."""
        access = logging.getLogger("uvicorn.access")
        access.handlers.clear()
        access.propagate = False
        HOT_PATH.api = Api(load_predictor(model_folder()))

    def __is_ready__(self) -> bool:
        """Whether `/readyz` answers 200."""
        return HOT_PATH.api is not None
