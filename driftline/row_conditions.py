"""Conditions on rows, such as `age > 40 and stage == 1`: in the values that a cleaned table has.

A code is text there and a date its days, so that a condition which compares them with what stands
in the problem file would hold for no row, and its rule would check nothing without a word.
"""

import ast
import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from driftline.columns import Column
from driftline.errors import ProblemError
from driftline.problem import NumberTarget, Target

Spec = Column | Target | NumberTarget
SettleValue = Callable[[Any, str], Any]

EXAMPLE: Final = "age > 40 and stage == 1"

_PARTS = re.compile(r"""("[^"]*"|'[^']*'|`[^`]*`)""")
_METHODS = {"notNull": "notnull", "isNull": "isnull"}  # Great Expectations' own, and pandas'
_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_ORDER_SIGNS = frozenset({"<", "<=", ">", ">="})


def settle_condition(
    given: Any, columns: Mapping[str, Spec], settle: SettleValue, where: str
) -> dict[str, Any]:
    """The arguments that say the same of a cleaned table, in pandas' own words.

    Raises:
        ProblemError: Naming the place `where`, and the name or the value that cannot be meant.
    """
    if isinstance(given, dict):
        return {"row_condition": _settle_tree(given, columns, settle, where)}
    names: dict[str, str] = {}
    try:
        tree = ast.parse(_as_python(str(given), names), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        message = f"{where}: cannot be read, wanted a condition such as {EXAMPLE}"
        raise ProblemError(message) from None
    text = ast.unparse(_Condition(columns, settle, where, names).visit(tree))
    for place, name in names.items():
        text = text.replace(place, f"`{name}`")
    return {"row_condition": text, "condition_parser": "pandas"}


def _as_python(text: str, names: dict[str, str]) -> str:
    """The condition as Python has it; names in backticks are kept in `names` by their places."""
    parts = []
    for part in _PARTS.split(text.strip()):
        if part.startswith("`"):
            parts.append(_place(part.strip("`"), names))
        elif part.startswith(('"', "'")):
            parts.append(part)
        else:
            parts.append(part.replace("&", " and ").replace("|", " or "))
    return "".join(parts)


def _place(name: str, names: dict[str, str]) -> str:
    place = f"__place_{len(names)}__"
    names[place] = name
    return place


class _Condition(ast.NodeTransformer):
    """Puts the table's values in the place of those that are compared with a column."""

    def __init__(
        self,
        columns: Mapping[str, Spec],
        settle: SettleValue,
        where: str,
        names: dict[str, str],
    ) -> None:
        self._columns = columns
        self._settle = settle
        self._where = where
        self._names = names

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Values beside a column are its own."""
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        for place, operator in enumerate(node.ops):
            for one, other in ((place, place + 1), (place + 1, place)):
                column = self._column(sides[one])
                if column is not None and self._column(sides[other]) is None:
                    self._refuse_order(column, isinstance(operator, _ORDERS))
                    sides[other] = self._value(sides[other], column)
        node.left, node.comparators = sides[0], sides[1:]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`col("age")` is the column; `isin` takes its values."""
        if isinstance(node.func, ast.Name):
            if node.func.id == "col" and len(node.args) == 1:
                return self.visit_Name(self._named(node.args[0]))
            node.args = [self.visit(one) for one in node.args]
            return node
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute):
            node.func.attr = _METHODS.get(node.func.attr, node.func.attr)
            column = self._column(node.func.value)
            if node.func.attr == "isin" and column is not None:
                node.args = [self._value(one, column) for one in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Every name is a column's."""
        name = self._names.get(node.id, node.id)
        if name not in self._columns and name != "index":
            wanted = ", ".join(sorted(self._columns))
            message = f"{self._where}: got the name {name!r}, wanted one of {wanted}"
            raise ProblemError(message)
        return node

    def _named(self, node: ast.expr) -> ast.Name:
        name = str(node.value) if isinstance(node, ast.Constant) else ""
        if name.isidentifier() and not keyword.iskeyword(name):
            return ast.Name(name, ast.Load())
        return ast.Name(_place(name, self._names), ast.Load())

    def _column(self, node: ast.expr) -> str | None:
        return self._names.get(node.id, node.id) if isinstance(node, ast.Name) else None

    def _value(self, node: ast.expr, column: str) -> ast.expr:
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return ast.List([self._value(one, column) for one in node.elts], ast.Load())
        node = _fold_sign(node)
        if isinstance(node, ast.Constant) and column in self._columns:
            return ast.Constant(self._checked(node.value, column))
        return node

    def _checked(self, value: Any, column: str) -> Any:
        return _check(value, self._settle(value, column), column, self._columns, self._where)

    def _refuse_order(self, column: str, is_order: bool) -> None:
        if is_order and _choices(self._columns.get(column)):
            message = (
                f"{self._where}: {column!r} is a category, which has no order; wanted == or in"
            )
            raise ProblemError(message)


def _fold_sign(node: ast.expr) -> ast.expr:
    """A signed number as one constant, which Python reads as an operation on another one."""
    if not isinstance(node, ast.UnaryOp) or not isinstance(node.operand, ast.Constant):
        return node
    number = node.operand.value
    if not isinstance(number, int | float) or not isinstance(node.op, ast.USub | ast.UAdd):
        return node
    return ast.Constant(-number if isinstance(node.op, ast.USub) else number)


def _settle_tree(
    given: Mapping[str, Any], columns: Mapping[str, Spec], settle: SettleValue, where: str
) -> dict[str, Any]:
    """The same of a condition that is written as a mapping."""
    settled = dict(given)
    if isinstance(given.get("conditions"), list):
        inner = [_settle_tree(one, columns, settle, where) for one in given["conditions"]]
        settled["conditions"] = inner
    column = given.get("column")
    name = column.get("name") if isinstance(column, dict) else None
    if name is None:
        return settled
    if name not in columns:
        message = f"{where}: got the name {name!r}, wanted one of {', '.join(sorted(columns))}"
        raise ProblemError(message)
    if given.get("operator") in _ORDER_SIGNS and _choices(columns[name]):
        message = f"{where}: {name!r} is a category, which has no order; wanted == or IN"
        raise ProblemError(message)
    wanted = given.get("parameter")
    if isinstance(wanted, list):
        settled["parameter"] = [
            _check(one, settle(one, name), name, columns, where) for one in wanted
        ]
    elif wanted is not None:
        settled["parameter"] = _check(wanted, settle(wanted, name), name, columns, where)
    return settled


def _check(given: Any, found: Any, column: str, columns: Mapping[str, Spec], where: str) -> Any:
    choices = _choices(columns[column])
    if found is None:
        message = f"{where}: got {given!r} for {column!r}, which means missing; wanted .isnull()"
        raise ProblemError(message)
    if choices and found not in choices:
        message = f"{where}: got {given!r} for {column!r}, wanted one of {', '.join(choices)}"
        raise ProblemError(message)
    return found


def _choices(spec: Spec | None) -> tuple[str, ...]:
    """The categories or classes of a column; none of a column of numbers."""
    if isinstance(spec, Column):
        return spec.categories
    return tuple(spec.classes) if isinstance(spec, Target) else ()
