"""Every command that the documents show is one that there is, with options that it takes."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.documents import BOTH
from tests.support import ROOT

COMMANDS = sorted(
    set(re.findall(r"python -m ((?:flows|bentos|deployments|tests)\.[^`\n#]*)", BOTH))
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documents_takes_its_options(command: str) -> None:
    module, *words = command.split()
    path = ROOT.joinpath(*module.split("."))
    options = {word.lstrip("-").replace("-", "_") for word in words if word.startswith("--")}

    assert path.with_suffix(".py").exists()
    assert options - {"help"} <= parameters(path.with_suffix(".py"))


def parameters(module: Path) -> set[str]:
    """The parameters of the flow that a module is named after: its command line's options."""
    flows = [
        node
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == module.stem
    ]
    return {argument.arg for flow in flows for argument in (*flow.args.args, *flow.args.kwonlyargs)}
