"""Writes the stacks as CloudFormation templates: `make aws`, or this by hand with its environment.

`python -m deployments.aws.synth --stacks serverless --archive <zip> --out <folder>`. What cdk-nag
finds and nobody has given a reason for is told, and exits 1. `--templates` writes the templates of
this folder anew, and `--check` exits 1 where they are stale.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployments.aws.choices import STACKS, ChoiceError, Choices, choose

TEMPLATES = Path(__file__).resolve().parent / "templates"
ENDING = ".template.json"
FLAGS = {"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True}  # in place of legacy ACLs


class SynthError(RuntimeError):
    """The templates could not be written; the message says why."""


def synthesise(choices: Choices, folder: Path) -> dict[str, str]:
    """The templates by their stacks' names, after cdk-nag has looked at them."""
    try:
        from aws_cdk import App, Validations
        from cdk_nag import AwsSolutionsChecks
    except ImportError as error:
        message = f"{error.name}: not installed here; wanted the environment that `make aws` makes"
        raise SynthError(message) from None
    app = App(outdir=str(folder), analytics_reporting=False, context=FLAGS)
    _add_stacks(app, choices)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError:
        found = read_findings(folder)
        if not found:
            raise
        message = "cdk-nag found what nobody gave a reason for:\n  " + "\n  ".join(found)
        raise SynthError(message) from None
    return {
        path.name.removesuffix(ENDING): path.read_text(encoding="utf-8")
        for path in sorted(folder.glob(f"*{ENDING}"))
    }


def _add_stacks(app: Any, choices: Choices) -> None:
    from deployments.aws.stacks.loop import add_loop
    from deployments.aws.stacks.machine import add_machine
    from deployments.aws.stacks.monitoring import add_monitoring
    from deployments.aws.stacks.network import add_network
    from deployments.aws.stacks.serverless import add_serverless
    from deployments.aws.stacks.service import add_service

    if "serverless" in choices.stacks:
        add_serverless(app, choices)
    if "machine" in choices.stacks:
        add_machine(app)
    if {"service", "loop", "monitoring"} & set(choices.stacks):
        network = add_network(app)
        if "loop" in choices.stacks:
            add_loop(app, network)
        if "service" in choices.stacks:
            add_service(app, network)
        if "monitoring" in choices.stacks:
            add_monitoring(app, network)


def read_findings(folder: Path) -> list[str]:
    """What cdk-nag found, a sentence for each place, by its report."""
    report = folder / "validation-report.json"
    if not report.is_file():
        return []
    plugins = json.loads(report.read_text(encoding="utf-8"))["pluginReports"]
    return [
        f"{place['constructPath']}: {violation['ruleName']}: {violation['description']}"
        for plugin in plugins
        for violation in plugin["violations"]
        for place in violation["violatingConstructs"]
    ]


def find_stale(templates: Mapping[str, str], folder: Path) -> list[str]:
    """The names of the templates that the folder has not, or has otherwise."""
    return [
        name
        for name, text in templates.items()
        if not (folder / f"{name}.json").is_file()
        or (folder / f"{name}.json").read_text(encoding="utf-8") != text
    ]


def write(templates: Mapping[str, str], folder: Path) -> None:
    """Write each as `<name>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in templates.items():
        path = folder / f"{name}.json"
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")


def main() -> int:
    """Write the templates, or check those of this folder."""
    parser = argparse.ArgumentParser(description="Write the stacks as CloudFormation templates.")
    parser.add_argument("--stacks", default=",".join(STACKS), help="some of them, by commas")
    parser.add_argument("--archive", default="", help="the zip that the Lambda runs")
    parser.add_argument("--out", type=Path, default=Path(".driftline/aws"))
    parser.add_argument("--templates", action="store_true", help="those of this folder, anew")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    given = parser.parse_args()
    of_folder = given.templates or given.check
    try:
        choices = Choices(STACKS) if of_folder else choose(given.stacks, given.archive)
        templates = _synthesise_apart(choices)
    except (ChoiceError, SynthError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if not given.check:
        write(templates, TEMPLATES if of_folder else given.out)
        return 0
    stale = find_stale(templates, TEMPLATES)
    for name in stale:
        place = f"deployments/aws/templates/{name}.json"
        sys.stderr.write(f"error: {place}: stale; wanted what `--templates` writes\n")
    return 1 if stale else 0


def _synthesise_apart(choices: Choices) -> dict[str, str]:
    if shutil.which("node") is None:
        raise SynthError("node: not found; wanted Node.js, in which aws-cdk-lib runs")
    with tempfile.TemporaryDirectory(prefix="driftline-aws-") as folder:
        return synthesise(choices, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
