"""Formulas of assemblies: plain arithmetic over exact fractions.

80/3 x 1.05 is 28; a binary float makes it 28.000000000000004 and buys a pack too many. Python's parser reads the text,
a whitelist of nodes computes it: nothing else of Python can be reached.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction

Value = Fraction | str
MAX_LENGTH = 500
IRRATIONAL_DIGITS = 30
"""Digits to which roots and cosines, the only inexact steps, are computed."""


class FormulaError(ValueError):
    """A formula that cannot be read or computed; data of ours is wrong, or a divisor is zero."""


_BINARY: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


def _root(value: Fraction) -> Fraction:
    """Square root: exact for squares of rationals, else to 30 digits."""
    if value < 0:
        raise FormulaError("root of a negative number")
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Fraction(top, bottom)
    scale = 10**IRRATIONAL_DIGITS
    return Fraction(math.isqrt(value.numerator * scale**2 // value.denominator), scale)


def _cosine(degrees: Fraction) -> Fraction:
    """Cosine of degrees by its series to 30 digits; exact at multiples of 60 and 90 degrees."""
    known = {0: Fraction(1), 60: Fraction(1, 2), 90: Fraction(0), 120: Fraction(-1, 2), 180: Fraction(-1)}
    turned = abs(degrees) % 360
    turned = min(turned, 360 - turned)
    if turned in known:
        return known[int(turned)]
    pi = Fraction("3.14159265358979323846264338327950288419716939937510")
    x = turned * pi / 180
    square, term, total = -x * x, Fraction(1), Fraction(1)
    for n in range(1, 40):
        term = term * square / ((2 * n - 1) * (2 * n))
        total += term
        if abs(term) < Fraction(1, 10 ** (IRRATIONAL_DIGITS + 5)):
            break
    return Fraction(round(total * 10**IRRATIONAL_DIGITS), 10**IRRATIONAL_DIGITS)


_FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "ceil": lambda v: Fraction(math.ceil(v)),
    "floor": lambda v: Fraction(math.floor(v)),
    "min": min,
    "max": max,
    "sqrt": _root,
    "cos_deg": _cosine,
}


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise FormulaError("the formula is too long")
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise FormulaError(f"cannot read {text!r}") from error


def evaluate(text: str, names: Mapping[str, Value]) -> Fraction:
    """The exact value of a formula.

    Args:
        names: inputs and derived values; options that are words stay text.

    Raises:
        FormulaError: unknown name, division by zero, or something that is not arithmetic.
    """
    value = _compute(_parsed(text), names)
    if isinstance(value, str):
        raise FormulaError(f"{text!r} is a word, a number is needed")
    return value


def holds(text: str, names: Mapping[str, Value]) -> bool:
    """Whether a condition such as `wool==1` is true."""
    return evaluate(text, names) != 0


def _compute(node: ast.expr, names: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Fraction(repr(number))  # the decimal as it was written: 0.1 is one tenth
        case ast.Constant(value=str() as word):
            return word
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _binary(op, _number(left, names), _number(right, names))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, names)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            return _compare(op, _compute(left, names), _compute(right, names))
        case ast.Call(func=ast.Name(id="iif"), args=[condition, yes, no], keywords=[]):
            return _compute(yes if _number(condition, names) else no, names)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
            return _FUNCTIONS[name](*(_number(arg, names) for arg in args))
    raise FormulaError(f"not arithmetic: {ast.unparse(node)}")


def _number(node: ast.expr, names: Mapping[str, Value]) -> Fraction:
    value = _compute(node, names)
    if isinstance(value, str):
        raise FormulaError(f"{ast.unparse(node)} is a word, a number is needed")
    return value


def _binary(op: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    if isinstance(op, ast.Div) and right == 0:
        raise FormulaError("division by zero")
    return _BINARY[type(op)](left, right)


def _compare(op: ast.cmpop, left: Value, right: Value) -> Fraction:
    same_kind = isinstance(left, str) == isinstance(right, str)
    if not same_kind or (isinstance(left, str) and not isinstance(op, ast.Eq | ast.NotEq)):
        return Fraction(int(isinstance(op, ast.NotEq)))
    return Fraction(int(_COMPARE[type(op)](left, right)))


def with_numbers(text: str, names: Mapping[str, Value]) -> str:
    """The formula with the numbers in place of names, for the reader: `2*layers*area` -> `2 × 1 × 13.5`."""
    tree = _Filled(names).visit(ast.parse(text, mode="eval"))
    return ast.unparse(tree).replace(" * ", " × ").replace(" / ", " ÷ ").replace(" - ", " − ")


class _Filled(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, Value]) -> None:
        self._names = names

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(arg) for arg in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        value = self._names.get(node.id)
        if isinstance(value, Fraction):
            return ast.Name(id=short(value))
        return ast.Constant(value) if isinstance(value, str) else node


def short(value: Fraction, places: int = 3) -> str:
    """A decimal with at most `places` digits after the point, half up."""
    scaled = (2 * abs(value.numerator) * 10**places + value.denominator) // (2 * value.denominator)
    text = (
        format(Decimal(scaled).scaleb(-places), "f").rstrip("0").rstrip(".")
        if scaled % 10**places
        else str(scaled // 10**places)
    )
    return f"-{text}" if value < 0 and scaled else text
