"""Answers `--help`, and options that a flow does not have, before anything slow is imported.

It reads the flow's signature from its file, and leaves all else to `flows.shared.command`.
"""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

FLOWS = Path(__file__).parents[1]
KINDS = {"str": "TEXT", "int": "INTEGER", "float": "FLOAT", "bool": ""}
WRONG = 2  # what a shell command says of words that it does not know


class Parameter(NamedTuple):
    """One word of the command line: required, or an option with its default."""

    name: str
    kind: str
    default: object
    is_required: bool

    @property
    def options(self) -> list[str]:
        """How it is written as an option; none where it is an argument."""
        name = self.name.replace("_", "-")
        if self.is_required:
            return []
        return [f"--{name}", f"--no-{name}"] if self.kind == "" else [f"--{name}"]


def answer_usage(module: str, words: Sequence[str]) -> int | None:
    """The exit code where the signature alone answers `python -m <module> <words>`; else None."""
    story = _find_story(FLOWS / f"{module.removeprefix('flows.')}.py")
    if story is None:
        return None
    parameters = _read_parameters(story)
    known = {"--help"}.union(*(one.options for one in parameters))
    if "--help" in words:
        print(_describe(module, story, parameters))  # noqa: T201 - it is for a terminal
        return 0
    taking = {option for one in parameters if one.kind for option in one.options}
    unknown = [
        word.split("=")[0]
        for before, word in zip(["", *words], words, strict=False)
        if word.startswith("--") and word.split("=")[0] not in known and before not in taking
    ]
    if not unknown or "--" in words:
        return None
    wanted = ", ".join(sorted(known))
    message = f"error: {unknown[0]}: no such option; wanted one of: {wanted}"
    print(message, file=sys.stderr)  # noqa: T201 - as above
    return WRONG


def answer_early() -> None:
    """End this process where its command line can be answered already."""
    if sys.argv[0] != "-m" or "-m" not in sys.orig_argv:  # Python's own sign of `python -m`
        return
    module = sys.orig_argv[sys.orig_argv.index("-m") + 1]
    code = answer_usage(module, sys.argv[1:]) if module.startswith("flows.") else None
    if code is not None:
        sys.exit(code)


def _find_story(file: Path) -> ast.FunctionDef | None:
    """The flow that a module runs as it stands; none where it has words of its own."""
    if not file.is_file():
        return None
    module = ast.parse(file.read_text(encoding="utf-8"))
    begun = {
        ast.unparse(call.args[0])
        for call in ast.walk(module)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "run" and call.args
    }
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name in begun:
            return node
    return None


def _read_parameters(story: ast.FunctionDef) -> list[Parameter]:
    defaults = story.args.defaults
    none = [None] * (len(story.args.args) - len(defaults))
    return [
        Parameter(
            argument.arg,
            _kind(argument.annotation),
            None if default is None else ast.literal_eval(default),
            default is None,
        )
        for argument, default in zip(story.args.args, [*none, *defaults], strict=True)
    ]


def _kind(annotation: ast.expr | None) -> str:
    text = "" if annotation is None else ast.unparse(annotation).removeprefix("Annotated[")
    return KINDS.get(text.split(",")[0].split(" ")[0], "TEXT")


def _describe(module: str, story: ast.FunctionDef, parameters: Sequence[Parameter]) -> str:
    required = " ".join(one.name.upper() for one in parameters if one.is_required)
    lines = [f"Usage: python -m {module} [OPTIONS] {required}".rstrip(), ""]
    lines += [*(ast.get_docstring(story) or "").splitlines(), "", "Options:"]
    for one in parameters:
        if one.options:
            written = f"  {' / '.join(one.options)} {one.kind}".rstrip()
            told = "" if one.default is None else f"[default: {one.default}]"
            lines.append(f"{written:<50}{told}".rstrip())
    return "\n".join([*lines, "  --help"])
