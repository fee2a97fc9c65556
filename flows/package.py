"""Package: the champion as a bento that holds its ONNX file, its contract and the serving code.

Where asked for, also as a container image, and as the archive of a Lambda, a Google Cloud Function
or an Azure Function.
"""

from dataclasses import asdict

from driftline.problem import Problem
from driftline.served import ServedModel
from flows.shared.aliases import read_promoted
from flows.shared.running import Sections, driftline_flow
from tasks.data.problems import read_problem
from tasks.models.registry import CHAMPION, read_holders
from tasks.progress import step
from tasks.settings import get_settings
from tasks.shipping import archives, images, packaging
from tasks.shipping.functions import Cloud, build_function
from tasks.shipping.lookups import write_lookups


@driftline_flow("package", run_name="package {problem}")
def package(
    problem: str,
    containerize: bool = False,
    base_image: str | None = None,
    backend: str | None = None,
    build_options: str | None = None,
    lambda_zip: bool = False,
    lambda_python: str | None = None,
    google_zip: bool = False,
    azure_zip: bool = False,
) -> Sections:
    """Build the champion's bento, once per model version, and make it the one that serves."""
    spec = read_problem(problem)
    settings = get_settings()
    champion, bento, lookups = serve_champion(spec)
    sections: Sections = {
        "model": {
            "name": spec.name,
            "version": champion.version,
            "onnx_sha256": champion.contract.onnx_sha256,
        },
        "bento": {"tag": bento.tag, "path": bento.path},
    }
    if lookups:
        sections["lookups"] = lookups
    if containerize:
        build = images.Build(
            base_image=base_image or settings.base_image,
            backend=backend or "",
            options=build_options or settings.build_options,
        )
        with step("containerize"):
            sections["image"] = asdict(images.containerize(bento.tag, build))
    if lambda_zip:
        with step("lambda zip"):
            archive = archives.build_archive(spec, champion, lambda_python or "")
        sections["lambda"] = asdict(archive)
    wanted: dict[Cloud, bool] = {"google": google_zip, "azure": azure_zip}
    for cloud in (name for name, is_wanted in wanted.items() if is_wanted):
        with step(f"{cloud} zip"):
            sections[cloud] = asdict(build_function(cloud, spec, champion))
    return sections


def serve_champion(spec: Problem) -> tuple[ServedModel, packaging.Bento, dict[str, str]]:
    """Write the tables that the champion looks fields up in, and only then point at it.

    A service that took it over without them could answer nothing.
    """
    lookups = {}
    if spec.joins:
        with step("write lookups"):
            lookups = write_lookups(spec)
    with step("package"):
        champion, bento = pack_champion(spec)
    return champion, bento, lookups


def pack_champion(spec: Problem) -> tuple[ServedModel, packaging.Bento]:
    """Point at the champion's bento, and look again: another run may have made a new champion."""
    while True:
        champion = read_promoted(spec)
        bento = packaging.build_bento(spec, champion)
        packaging.point_at(spec, bento)
        if read_holders(spec.name)[CHAMPION] == champion.version:
            return champion, bento


if __name__ == "__main__":
    from flows.shared.command import run

    run(package, ahead=("mlflow",))
