"""YAML as Driftline reads it: YAML 1.2's booleans and numbers, no key twice, errors that name keys.

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

_TAG = "tag:yaml.org,2002:"
_PLAIN = frozenset({"int", "float", "bool", "timestamp"})  # what may have been meant as text
_WANTED = {
    "tuple_type": "a list",
    "string_type": "text (in quotes, where it looks like another kind)",
}


class _StrictLoader(yaml.SafeLoader):
    """Reads `YES` and `NO` as text (they are common categories) and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = tidy(str(key_node.value))
            _retag(key_node, _PLAIN | {"null"})
            if key in seen:
                line = key_node.start_mark.line + 1
                message = f"line {line}: key {key!r} is given twice; wanted once"
                raise ProblemError(message)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def construct_number(self, node: yaml.ScalarNode) -> int:
        """`010` is ten: a whole number in other digits than ten begins with `0x` or `0o`."""
        digits = str(node.value).replace("_", "")
        return int(digits, 10 if digits.lstrip("+-").isdigit() else 0)

    def construct_moment(self, node: yaml.ScalarNode) -> Any:
        """A date; one that there never was stays text, for its key to refuse."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return str(node.value)


_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_ENDLESS = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_OWN = {
    "bool": (r"true|True|false|False", "tTfF"),
    "int": (r"[-+]?[0-9][0-9_]*|0x[0-9a-fA-F]+|0o[0-7]+", "-+0123456789"),
    "float": (f"{_FLOAT}|{_ENDLESS}", "-+0123456789."),
}
_StrictLoader.yaml_implicit_resolvers = {
    first: [
        (tag, regexp)
        for tag, regexp in resolvers
        if tag.removeprefix(_TAG) not in {*_OWN, "value"}  # `=` is text
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, (_pattern, _firsts) in _OWN.items():
    _StrictLoader.add_implicit_resolver(
        f"{_TAG}{_kind}", re.compile(rf"(?:{_pattern})\Z"), list(_firsts)
    )
_StrictLoader.add_constructor(f"{_TAG}int", _StrictLoader.construct_number)
_StrictLoader.add_constructor(f"{_TAG}timestamp", _StrictLoader.construct_moment)


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
        got = "an empty file" if content is None else type(content).__name__
        message = f"{file}: got {got}, wanted a mapping of keys to values"
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
    """Let every number, boolean, time and date at and under a node be the text it is written as.

    So does a `null` or `~` in a list or as a name; elsewhere it says that there is nothing.
    """
    if isinstance(node, yaml.ScalarNode):
        _retag(node, _PLAIN)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _retag(key, _PLAIN | {"null"})
            _keep_text(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _retag(value, _PLAIN | {"null", "merge"})
            _keep_text(value)


def _retag(node: yaml.Node, kinds: frozenset[str]) -> None:
    """What looks like one of these kinds becomes text; what is not written at all does not."""
    if isinstance(node, yaml.ScalarNode) and node.value and node.tag.removeprefix(_TAG) in kinds:
        node.tag = f"{_TAG}str"


def _describe(detail: dict[str, Any], model: type[BaseModel]) -> str:
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path) or "(whole file)"
    kind, got = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return f"{key}: unknown key{_hint(path[-1], _known_keys(model, path[:-1]))}"
    if kind == "missing":
        return f"{key}: missing; wanted a value"
    if kind == "value_error":
        return f"{key}: {detail['ctx']['error']!s}"
    shown = repr(got)
    shown = textwrap.shorten(shown, 80, placeholder=" ...")
    wanted = _WANTED.get(kind) or detail["msg"].removeprefix("Input should be ")
    if kind in {"model_type", "model_attributes_type"}:
        wanted = "a mapping of keys to values"
    return f"{key}: got {'nothing' if got is None else shown}, wanted: {wanted}"


def _hint(key: str, known: set[str]) -> str:
    """The key that was meant, or which there are."""
    if key in known:
        return " of this kind; it belongs to another one"
    others = sorted(known)
    close = difflib.get_close_matches(key.casefold(), others, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; wanted some of {', '.join(others)}" if others else ""


def _known_keys(model: type[BaseModel], path: Sequence[str]) -> set[str]:
    """The keys of the section at a path, of every form that it may take."""
    schema = model.model_json_schema()
    nodes = _forms_of(schema, schema)
    for part in path:
        inner = [child for node in nodes for child in _children_of(node, part)]
        if inner:
            nodes = [form for child in inner for form in _forms_of(child, schema)]
        else:  # it is which of several forms is meant
            nodes = [node for node in nodes if _kind_of(node) == part] or nodes
    return {key for node in nodes for key in node.get("properties", {})}


def _forms_of(node: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What a part of a JSON schema stands for: itself, what it refers to, or each of several."""
    if "$ref" in node:
        return _forms_of(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    several = [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
    return [form for each in several for form in _forms_of(each, schema)] or [node]


def _kind_of(node: dict[str, Any]) -> Any:
    return node.get("properties", {}).get("kind", {}).get("const")


def _children_of(node: dict[str, Any], part: str) -> list[dict[str, Any]]:
    if part in node.get("properties", {}):
        return [node["properties"][part]]
    found = node.get("items" if part.isdigit() else "additionalProperties")
    return [found] if isinstance(found, dict) else []
