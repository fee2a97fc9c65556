"""Formulas of computed features: a closed set of operations on named columns, and their values.

A formula is read by Python's grammar and never run as Python: what is not named here is refused.
One table of operations serves a record and many rows, so that both give the same bits. Needs the
standard library and numpy only, since serving computes with it.
"""

import ast
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.spelling import tidy

Floats = NDArray[np.float64]

MOST_CHARACTERS: Final = 500
MOST_NESTED: Final = 30

_SIGNS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip
_ROWS: Final[dict[str, Callable[..., float]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": math.pow,
    "minus": lambda a: -a,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "abs": abs,
    "min": min,
    "max": max,
    "days": lambda first, last: last - first,
    "bins": lambda value, *bounds: float(bisect_right(bounds, value)),
}
# What numpy rounds as IEEE 754 has it, and so as Python does; all else goes row by row
_COLUMNS: Final[dict[str, Callable[..., Floats]]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
}  # fmt: skip
_COUNTS: Final = {"log": 1, "log1p": 1, "sqrt": 1, "abs": 1, "days": 2, "bins": 2}
FUNCTIONS: Final = ("log", "log1p", "sqrt", "abs", "min", "max", "days", "bins")
WANTED: Final = f"numbers, columns, + - * / **, parentheses and {', '.join(FUNCTIONS)}"


class FormulaError(ValueError):
    """A formula that cannot be read; says what was got and what was wanted."""


@dataclass(frozen=True)
class Node:
    """An operation on others; a `column` by its name or a `number` by its value where it is one."""

    kind: str
    of: tuple["Node", ...] = ()
    name: str = ""
    value: float = math.nan

    def named(self, *, inside: str = "") -> Iterator[tuple[str, str]]:
        """The columns and features that it names, each with the operation that names it."""
        if self.kind == "column":
            yield self.name, inside
        for node in self.of:
            yield from node.named(inside=self.kind)

    def compute(self, values: Mapping[str, float]) -> float:
        """The value for one row; nan where anything is missing or the operation undefined."""
        if self.kind == "column":
            return values[self.name]
        if self.kind == "number":
            return self.value
        return _compute(self.kind, *[node.compute(values) for node in self.of])

    def compute_rows(self, columns: Mapping[str, Floats], rows: int) -> Floats:
        """The same for many rows, shape (rows,)."""
        if self.kind == "column":
            return columns[self.name]
        if self.kind == "number":
            return np.full(rows, self.value)
        parts = [node.compute_rows(columns, rows) for node in self.of]
        if self.kind not in _COLUMNS:
            lists = [part.tolist() for part in parts]
            return np.array([_compute(self.kind, *row) for row in zip(*lists, strict=True)])
        with np.errstate(all="ignore"):
            found = _COLUMNS[self.kind](*parts)
        return np.where(np.isfinite(found), found, math.nan)


def _compute(kind: str, *values: float) -> float:
    if any(map(math.isnan, values)):
        return math.nan
    try:
        found = _ROWS[kind](*values)
    except (ArithmeticError, ValueError):  # by zero, beyond float64, the logarithm of no positive
        return math.nan
    return found if math.isfinite(found) else math.nan


def read_formula(text: str) -> Node:
    """The operations that a formula asks for; `FormulaError` says what it may not hold."""
    if len(text) > MOST_CHARACTERS:
        message = f"got {len(text)} characters, wanted at most {MOST_CHARACTERS}"
        raise FormulaError(message)
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        message = f"got {text!r}, wanted a formula of {WANTED}; a name with blanks stands in quotes"
        raise FormulaError(message) from None
    root = _read(parsed, MOST_NESTED)
    if next(root.named(), None) is None:
        message = f"got {text!r}, which names no column; wanted one that does"
        raise FormulaError(message)
    return root


def _read(node: ast.expr, left: int) -> Node:
    if not left:
        message = f"got more than {MOST_NESTED} operations within each other, wanted fewer"
        raise FormulaError(message)
    match node:
        case ast.Name(id=name) | ast.Constant(value=str(name)):
            return Node("column", name=tidy(name))
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Node("number", value=_finite(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _negative(_read(operand, left - 1))
        case ast.BinOp(op=op) if type(op) in _SIGNS:
            parts = (_read(node.left, left - 1), _read(node.right, left - 1))
            return Node(_SIGNS[type(op)], parts)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return _read_call(name, args, left - 1)
    message = f"got {_spell(node)!r}, wanted {WANTED}"
    raise FormulaError(message)


def _spell(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except RecursionError:
        return "too many operations within each other"


def _negative(node: Node) -> Node:
    return Node("number", value=-node.value) if node.kind == "number" else Node("minus", (node,))


def _finite(number: float) -> float:
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        message = "got a number that is not finite, wanted a finite one"
        raise FormulaError(message)
    return value


def _read_call(name: str, args: Sequence[ast.expr], left: int) -> Node:
    wanted = _COUNTS.get(name)
    if len(args) != wanted if wanted else len(args) < 2:  # noqa: PLR2004 - the least of several
        message = f"{name}: got {len(args)} values, wanted {wanted or 'two or more'}"
        raise FormulaError(message)
    if name != "bins":
        nodes = tuple(_read(arg, left) for arg in args)
        if name == "days" and any(node.kind != "column" for node in nodes):
            message = "days: got something else than two columns of dates, wanted their names"
            raise FormulaError(message)
        return Node(name, nodes)
    return Node(name, (_read(args[0], left), *_read_bounds(args[1], left)))


def _read_bounds(given: ast.expr, left: int) -> list[Node]:
    """The bounds of bins: numbers that rise."""
    bounds: list[Any] = given.elts if isinstance(given, ast.List) else []
    read = [_read(bound, left) for bound in bounds]
    values = [node.value for node in read]
    is_rising = all(a < b for a, b in pairwise(values))
    if not read or any(node.kind != "number" for node in read) or not is_rising:
        message = f"bins: got {_spell(given)}, wanted bounds that rise, such as [18, 40, 65]"
        raise FormulaError(message)
    return read
