"""YAML as Driftline reads it: YAML 1.2 booleans, no key twice, errors that name file and key.

Names are text however they look. Where a caller says so, values are too: a code is what was written
and not the number, time or date that YAML would make of it.
"""

import difflib
import re
import textwrap
from collections.abc import Hashable, Sequence
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from driftline.errors import ProblemError
from driftline.spelling import tidy

ModelT = TypeVar("ModelT", bound=BaseModel)


class _StrictLoader(yaml.SafeLoader):
    """Reads `YES` and `NO` as text (they are common categories) and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = tidy(str(key_node.value))
            _keep_text(key_node)
            if key in seen:
                line = key_node.start_mark.line + 1
                message = f"line {line}: key {key!r} is given twice; wanted once"
                raise ProblemError(message)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF")
)


def parse_document(
    text: str,
    *,
    file: str,
    model: type[ModelT],
    given: dict[str, Any] | None = None,
    written: Sequence[str] = (),
) -> ModelT:
    """Read YAML text into a strict model; a `ProblemError` lists every mistake with file and key.

    `given` holds keys that the file cannot set itself, such as the name it is filed under. What
    stands at or under the paths `written` (`*` is any key or place) is read as text.
    """
    content = _load(text, file=file, written=[path.split(".") for path in written])
    if not isinstance(content, dict):
        message = f"{file}: got {type(content).__name__}, wanted a mapping of keys to values"
        raise ProblemError(message)
    for key in given or {}:
        if key in content:
            message = f"{file}: {key}: set by the file's own name; wanted it left out"
            raise ProblemError(message)
    try:
        return model.model_validate(content | (given or {}))
    except ValidationError as error:
        lines = [f"{file}: {_describe(dict(detail), model)}" for detail in error.errors()]
        raise ProblemError("\n".join(lines)) from None


def _load(text: str, *, file: str, written: Sequence[Sequence[str]]) -> Any:
    loader = None
    try:
        loader = _StrictLoader(text)
        root = loader.get_single_node()
        for path in written:
            _keep_text_at(root, path)
        return None if root is None else loader.construct_document(root)
    except ProblemError as error:
        message = f"{file}: {error}"
        raise ProblemError(message) from None
    except yaml.YAMLError as error:
        message = f"{file}: not valid YAML: {error}"
        raise ProblemError(message) from None
    except (ValueError, TypeError, RecursionError) as error:  # such as a date that there never was
        message = f"{file}: not valid YAML: {type(error).__name__}: {error}; quote what is text"
        raise ProblemError(message) from None
    finally:
        if loader is not None:
            loader.dispose()


def _keep_text_at(node: yaml.Node | None, path: Sequence[str]) -> None:
    if not path:
        _keep_text(node)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if path[0] in {"*", tidy(str(key.value))}:
                _keep_text_at(value, path[1:])
    elif isinstance(node, yaml.SequenceNode) and path[0] == "*":
        for value in node.value:
            _keep_text_at(value, path[1:])


def _keep_text(node: yaml.Node | None) -> None:
    """Let every number, boolean, time and date at and under a node be the text it is written as."""
    if isinstance(node, yaml.ScalarNode):
        if node.tag.rsplit(":", maxsplit=1)[-1] in {"int", "float", "bool", "timestamp"}:
            node.tag = "tag:yaml.org,2002:str"
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _keep_text(key)
            _keep_text(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _keep_text(value)


def _describe(detail: dict[str, Any], model: type[BaseModel]) -> str:
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path) or "(whole file)"
    kind, got = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(path[-1], _known_keys(model), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"{key}: unknown key{hint}"
    if kind == "missing":
        return f"{key}: missing; wanted a value"
    if kind == "value_error":
        return f"{key}: {detail['ctx']['error']!s}"
    shown = repr(got)
    shown = textwrap.shorten(shown, 80, placeholder=" ...")
    return f"{key}: got {shown}, wanted: {detail['msg'].removeprefix('Input should be ')}"


def _known_keys(model: type[BaseModel]) -> list[str]:
    """Every key that the model or a model inside it accepts, for suggestions."""
    schema = model.model_json_schema()
    keys = set(schema.get("properties", {}))
    for definition in schema.get("$defs", {}).values():
        keys |= set(definition.get("properties", {}))
    return sorted(keys)
