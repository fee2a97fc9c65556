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
    """What the functions of a flow's module take: its command line is one of them."""
    functions = [
        node
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    ]
    return {
        argument.arg for each in functions for argument in (*each.args.args, *each.args.kwonlyargs)
    }
