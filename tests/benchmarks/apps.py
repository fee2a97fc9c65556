"""The alternatives: FastAPI over joblib, and bare Starlette over the same ONNX session.

Their folder is in `BENCH_MODEL`. `uvicorn tests.benchmarks.apps:fastapi_app --factory`
"""

import os
from pathlib import Path
from typing import Any

import numpy as np


def fastapi_app() -> Any:
    """What most tutorials end with."""
    import joblib
    from fastapi import FastAPI
    from pydantic import BaseModel

    class Rows(BaseModel):
        rows: list[list[float]]

    forest = joblib.load(Path(os.environ["BENCH_MODEL"]) / "forest.joblib")
    app = FastAPI()

    @app.post("/predict")
    def predict(body: Rows) -> dict[str, Any]:
        return {"probabilities": forest.predict_proba(np.array(body.rows)).tolist()}

    return app


def starlette_app() -> Any:
    """The ceiling: JSON in, the ONNX session, JSON out, no checks, no log, no metrics."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from bentos.predictor import load_predictor

    predictor = load_predictor(Path(os.environ["BENCH_MODEL"]))

    async def predict(request: Request) -> JSONResponse:
        record = await request.json()
        row = np.array([list(record.values())], dtype=np.float32)
        return JSONResponse({"probabilities": predictor.score(row)[0]})

    return Starlette(routes=[Route("/predict", predict, methods=["POST"])])
