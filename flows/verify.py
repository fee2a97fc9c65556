"""Verify: the champion answers the same wherever it runs."""

from dataclasses import asdict
from typing import Annotated

from pydantic import Field

from flows.shared.aliases import read_promoted
from flows.shared.running import Sections, UnwantedOutcomeError, driftline_flow
from tasks.data.problems import read_problem
from tasks.data.storage import read_snapshot, write_report
from tasks.models.tracking import read_fitted
from tasks.progress import step
from tasks.shipping import packaging
from tasks.shipping.archives import find_archive
from tasks.shipping.functions import find_function
from tasks.verify import environments, functions, questions
from tasks.verify.agreement import render_page


@driftline_flow("verify", run_name="verify {problem}")
def verify(problem: str, rows: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000) -> Sections:
    """Send the same records everywhere the champion runs; fail where any answer differs."""
    spec = read_problem(problem)
    with step("collect records"):
        champion = read_promoted(spec)
        fitted, logged = read_fitted(spec, champion.version)
        table, _ = read_snapshot(champion.contract.snapshot)
        bento = packaging.build_bento(spec, champion)
        asked = questions.collect_questions(table, spec, champion, fitted, rows=rows)
    with step("ask environments"):
        found = [questions.check_parameters(fitted, logged, champion, asked)]
        for name, environment in (
            ("ONNX predictor", environments.in_process(champion)),
            ("bentoml serve", environments.served_bento(bento.path)),
            ("container", environments.container(bento.tag)),
            ("Lambda zip", environments.lambda_archive(find_archive(spec, champion))),
            ("Lambda image", environments.lambda_image(bento.tag)),
            ("Google function", functions.google_function(find_function("google", spec, champion))),
            ("Azure function", functions.azure_function(find_function("azure", spec, champion))),
        ):
            tried = questions.try_environment(name, environment, asked, champion.contract)
            found.append(tried)
    page = render_page(champion, found)
    report = write_report(f"verify/{spec.name}-v{champion.version}.html", page)
    sections: Sections = {
        "model": {"name": spec.name, "version": champion.version},
        "bento": {"tag": bento.tag, "path": bento.path},
        "environments": [asdict(one) for one in found],
        "report": report,
    }
    different = [f"{one.name}: {one.why}" for one in found if one.state == "different"]
    if different:
        raise UnwantedOutcomeError(f"answers differ; {'; '.join(different)} ({report})", sections)
    return sections


if __name__ == "__main__":
    from flows.shared.command import run

    run(verify, ahead=("mlflow", "sklearn.ensemble"))
