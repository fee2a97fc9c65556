"""Every command that the documents show is one that there is, and that a test runs."""

import ast
import re
from pathlib import Path

import pytest

from tests.support import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("deployments/**/*.md")]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
COMMANDS = sorted(
    set(re.findall(r"python -m ((?:flows|bentos|deployments|tests)\.[^`\n#]*)", TEXT))
)
MODULES = {command.split()[0] for command in COMMANDS}
RUN_BY = {  # the test, and what in it is the command
    "deployments.aws.synth": ("system/test_aws.py", '"deployments.aws.synth"'),
    "deployments.deploy": ("deployments/test_deploy.py", "main() == 0"),
    "deployments.monitoring.place": ("system/alarm.py", "place("),
    "deployments.page_image": ("system/test_page_image.py", '"deployments.page_image"'),
    "deployments.pages": ("deployments/test_pages.py", '"deployments.pages"'),
    "deployments.sweeper": ("system/test_up.py", "deployments.sweeper"),
    "flows.ab": ("flows/test_ab.py", '"ab", "tiny"'),
    "flows.approve": ("flows/test_evidence.py", 'site("approve"'),
    "flows.evidence": ("flows/test_evidence.py", 'site("evidence"'),
    "flows.ingest": ("flows/test_secrets.py", '"ingest", "tiny"'),
    "flows.journal": ("flows/test_journal.py", '"journal"'),
    "flows.label": ("flows/test_loop.py", 'do("label"'),
    "flows.monitor": ("flows/test_loop.py", 'do("monitor"'),
    "flows.onboard": ("flows/test_onboard.py", '"flows.onboard"'),
    "flows.package": ("flows/test_lost_champion.py", '"package"'),
    "flows.pipeline": ("flows/test_train.py", 'flow="pipeline"'),
    "flows.release": ("flows/test_release.py", '"flows.release"'),
    "flows.replay": ("flows/test_replay.py", '"replay"'),
    "flows.rollback": ("system/test_elsewhere.py", 'run("rollback"'),
    "flows.score": ("flows/test_score.py", '"score"'),
    "flows.snapshots": ("flows/test_snapshots.py", "invoke(snapshots.APP"),
    "flows.sweep": ("flows/test_orders.py", '"sweep"'),
    "flows.train": ("flows/test_train.py", '"train"'),
    "flows.verify": ("system/test_verify.py", '"verify"'),
}
STUDIES = "tests.benchmarks."  # they compute for hours; tests run their parts


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documents_takes_its_options(command: str) -> None:
    module, *words = command.split()
    path = ROOT.joinpath(*module.split("."))
    options = {word.lstrip("-").replace("-", "_") for word in words if word.startswith("--")}

    assert path.with_suffix(".py").exists()
    assert options - {"help"} <= parameters(path.with_suffix(".py"))


def parameters(module: Path) -> set[str]:
    """What the functions of a flow's module take: its command line is one of them."""
    functions = [
        node
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    ]
    return {
        argument.arg for each in functions for argument in (*each.args.args, *each.args.kwonlyargs)
    }


@pytest.mark.parametrize("module", sorted(m for m in MODULES if not m.startswith(STUDIES)))
def test_a_command_of_the_documents_is_run_by_a_test(module: str) -> None:
    test, words = RUN_BY[module]
    assert words in (ROOT / "tests" / test).read_text(encoding="utf-8")
