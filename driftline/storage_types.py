"""Rules on the type of a column: what a cleaned table has in place of what a file stored.

A table holds numbers and dates as floats, and categories and classes as text, whatever the file
held; so a rule that wants integers of a column of whole numbers means that declared kind.
"""

from collections.abc import Mapping
from typing import Any, Final

from driftline.columns import Column
from driftline.errors import ProblemError
from driftline.spelling import read_number
from driftline.target import NumberTarget, Target

RULES: Final = ("ExpectColumnValuesToBeOfType", "ExpectColumnValuesToBeInTypeList")
_FLOATS: Final = frozenset(
    {"float", "double", "real", "numeric", "decimal", "number", "float_", "float16", "float32"}
    | {"float64", "floattype", "doubletype", "double_precision", "decimaltype"}
)
_WHOLE: Final = frozenset(
    {"int", "integer", "long", "short", "bigint", "smallint", "tinyint", "byte", "int_"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
    | {f"{sign}int{bits}dtype" for sign in ("", "u") for bits in (8, 16, 32, 64)}
    | {"integertype", "longtype", "bytetype", "shorttype"}
)
_TEXTS: Final = frozenset(
    {"str", "string", "object", "object_", "category", "text", "varchar", "char", "unicode"}
    | {"stringtype", "stringdtype", "categoricaldtype", "o"}
)
_BOOLEANS: Final = frozenset({"bool", "boolean", "bool_", "booleantype", "booleandtype"})
_DATES: Final = frozenset(
    {"date", "datetime", "timestamp", "datetime64", "datetime64[ns]", "datetime64[us]"}
    | {"datetype", "timestamptype", "datetimetz"}
)
_STORED: Final = {"text": ["str", "object"], "float": ["float64", "float"]}


def settle_types(
    arguments: Mapping[str, Any], column: str, spec: Column | Target | NumberTarget, where: str
) -> dict[str, Any]:
    """The types in a rule's arguments, as the cleaned table has them.

    Raises:
        ProblemError: Where none of them fits what is declared.
    """
    what, known, stored = _describe(spec)
    for key in ("type_", "type_list"):
        given = arguments.get(key)
        if given is None:
            continue
        names = [str(name).lower() for name in (given if isinstance(given, list) else [given])]
        if known.isdisjoint(names):
            message = f"{where}: arguments.{key}: got {given!r}, wanted a type of {what}"
            raise ProblemError(f"{message}, as column {column!r} is declared")
        return {key: _STORED[stored] if isinstance(given, list) else _STORED[stored][0]}
    return {}


def _describe(spec: Column | Target | NumberTarget) -> tuple[str, frozenset[str], str]:
    """What is declared in words, the types that fit it, and how a table holds it."""
    if isinstance(spec, Target):
        spellings = [text for texts in spec.classes.values() for text in texts]
        return ("classes", _types_of_codes(spellings), "text")
    if isinstance(spec, NumberTarget) or spec.kind == "number":
        return ("numbers", _FLOATS, "float")
    if spec.kind == "integer":
        return ("whole numbers", _WHOLE | _FLOATS, "float")
    if spec.kind == "date":
        return ("dates", _DATES | _FLOATS, "float")
    return ("categories", _types_of_codes(list(spec.categories)), "text")


def _types_of_codes(spellings: list[str]) -> frozenset[str]:
    """Text, and whole numbers or booleans where all codes are some."""
    numbers = [read_number(text) for text in spellings]
    found = _TEXTS
    if numbers and all(number is not None and number.is_integer() for number in numbers):
        found |= _WHOLE | _FLOATS
    is_two = len(spellings) == 2  # noqa: PLR2004 - as a boolean has
    return found | _BOOLEANS if is_two else found
