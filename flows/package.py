"""Package: the champion as a bento that holds its ONNX file, its contract and the serving code."""

from flows.running import Sections, driftline_flow
from tasks import packaging
from tasks.problems import read_problem
from tasks.progress import step
from tasks.registry import read_model


@driftline_flow("package", run_name="package {problem}")
def package(problem: str) -> Sections:
    """Build the champion's bento, once per model version, and make it the one that serves."""
    spec = read_problem(problem)
    with step("package"):
        champion = read_model(spec, "champion")
        bento = packaging.build_bento(spec, champion)
        packaging.point_at(spec, bento)
    return {
        "model": {
            "name": spec.name,
            "version": champion.version,
            "onnx_sha256": champion.contract.onnx_sha256,
        },
        "bento": {"tag": bento.tag, "path": bento.path},
    }


if __name__ == "__main__":
    from flows.command import run

    run(package, ahead=("mlflow",))
