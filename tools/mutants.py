"""The mutants of a Python module: every small change that a test should notice.

A mutant replaces one piece of the source text: an operator, a constant, a condition, a returned value or a
whole statement. SQL in strings is mutated as SQL. Docstrings, annotations, `assert`, the arguments of
`@dataclass` and logging calls are not mutated.
"""

import ast
import difflib
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"), ast.Pow: ("**", "*"), ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.BitXor: ("^", "&"),
}  # fmt: skip
# Without arguments, `text.strip()` becomes `text`.
_TEXT_METHODS = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "casefold"})
_NAMING_CALLS = frozenset({"TypeVar", "NewType", "ParamSpec", "cast"})
_LOGGERS = frozenset({"log", "logger", "_log", "logging"})

_SQL = re.compile(r'[rR]?"{0,3}\s*(SELECT|INSERT|UPDATE|DELETE|WITH|REPLACE)\s')
_SQL_TOKEN = re.compile(
    r"(?P<word>\bIS\s+NOT\s+NULL\b|\bIS\s+NULL\b|\bNOT\s+EXISTS\b|\bNOT\s+IN\b|\bAND\b|(?<!INSERT )\bOR\b|\bASC\b"
    r"|\bDESC\b|\b(?:MIN|MAX)(?=\()|<=|>=|<>|!=|<(?!<)|(?<![->])>|(?<![<>!=])=(?!=))|(?<![\w:.?])(?P<number>\d+)(?![\w.])"
)
_SQL_SWAPS = {
    "IS NOT NULL": "IS NULL", "IS NULL": "IS NOT NULL", "NOT EXISTS": "EXISTS", "NOT IN": "IN", "AND": "OR",
    "OR": "AND", "ASC": "DESC", "DESC": "ASC", "MIN": "MAX", "MAX": "MIN", "<=": "<", ">=": ">", "<": "<=",
    ">": ">=", "<>": "=", "!=": "=", "=": "<>",
}  # fmt: skip
_SQL_CLAUSE = re.compile(r"\b(SET|WHERE|ON|HAVING|SELECT|VALUES)\b")


@dataclass(frozen=True, slots=True)
class Mutant:
    """`text` instead of the bytes from `start` to `end` of the module at `path`."""

    path: str
    operator: str
    start: int
    end: int
    text: str


def mutants(path: str, source: bytes) -> list[Mutant]:
    """In the order of the source. Some are not valid or change nothing: see `changes`."""
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda mutant: (mutant.start, mutant.end, mutant.text))


def mutated(source: bytes, mutant: Mutant) -> bytes:
    return source[: mutant.start] + mutant.text.encode() + source[mutant.end :]


def changes(source: bytes, mutant: Mutant) -> bool:
    """Whether the mutant is valid Python and differs from the original by more than its formatting."""
    try:
        return ast.dump(ast.parse(mutated(source, mutant))) != ast.dump(ast.parse(source))
    except (SyntaxError, ValueError):
        return False


def changed_lines(source: bytes, mutant: Mutant) -> tuple[str, str]:
    """The first line that differs, before and after, without its indentation."""
    pairs = zip(source.splitlines(), mutated(source, mutant).splitlines(), strict=False)
    return next(
        ((old.decode().strip(), new.decode().strip()) for old, new in pairs if old != new), ("", mutant.text.strip())
    )


def diff(source: bytes, mutant: Mutant) -> str:
    lines = (source.decode().splitlines(), mutated(source, mutant).decode().splitlines())
    return "\n".join(difflib.unified_diff(*lines, mutant.path, f"{mutant.path} ({mutant.operator})", lineterm="", n=1))


def sample(population: Sequence[tuple[bytes, Mutant]], size: int | None, seed: int) -> list[tuple[bytes, Mutant]]:
    """`size` of these pairs of source and mutant; all of them for None.

    The same seed gives the same sample. Each mutant's place in the random order depends only on its own line,
    so the sample hardly changes when other lines do.
    """
    seen: dict[str, int] = {}
    places = []
    for number, (source, mutant) in enumerate(population):
        before, after = changed_lines(source, mutant)
        name = "\0".join((str(seed), mutant.path, mutant.operator, before, after))
        seen[name] = seen.get(name, 0) + 1
        places.append((hashlib.sha256(f"{name}\0{seen[name]}".encode()).digest(), number))
    found: list[int] = []
    for _, number in sorted(places):
        if size is not None and len(found) == size:
            break
        if changes(*population[number]):
            found.append(number)
    return [population[number] for number in sorted(found)]


class _Finder(ast.NodeVisitor):
    def __init__(self, path: str, source: bytes) -> None:
        self.found: list[Mutant] = []
        self._path = path
        self._source = source
        self._line_starts = [0]
        for line in source.splitlines(keepends=True):
            self._line_starts.append(self._line_starts[-1] + len(line))

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._line_starts[node.lineno - 1] + node.col_offset,
            self._line_starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _add(self, operator: str, start: int, end: int, text: str) -> None:
        self.found.append(Mutant(self._path, operator, start, end, text))

    def _replace(self, operator: str, node: ast.expr, text: str) -> None:
        if self._has_right_position(node):
            self._add(operator, *self._span(node), text)

    def _has_right_position(self, node: ast.expr) -> bool:
        """False for some expressions in f-strings: before Python 3.12 their positions are wrong."""
        start, end = self._span(node)
        try:
            alone = ast.parse(b"(" + self._source[start:end] + b")", mode="eval").body
        except SyntaxError:
            return False
        return ast.dump(alone) == ast.dump(node)

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _between(self, operator: str, left: ast.expr, right: ast.expr, pair: tuple[str, str]) -> None:
        """Swaps the operator between two operands."""
        if not (self._has_right_position(left) and self._has_right_position(right)):
            return
        begin, end = self._span(left)[1], self._span(right)[0]
        self._swap(operator, begin, end, pair)

    def _swap(self, operator: str, begin: int, end: int, pair: tuple[str, str]) -> None:
        old, new = pair
        pattern = r"\s+".join(map(re.escape, old.split()))
        pattern = rf"\b{pattern}\b" if old[0].isalpha() else pattern
        matches = list(re.finditer(pattern.encode(), self._source[begin:end]))
        if len(matches) == 1:
            self._add(operator, begin + matches[0].start(), begin + matches[0].end(), new)

    # -- not mutated -------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        defaults = [default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None]
        self._visit_all((*node.decorator_list, *defaults, *node.body))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        decorators = [one for one in node.decorator_list if "dataclass" not in ast.dump(one)]
        self._visit_all((*decorators, *node.body))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.body)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Skipped: it is for the type checker."""

    def _visit_all(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    # -- statements ---------------------------------------------------------------------------

    def _remove(self, node: ast.stmt) -> None:
        self._add("remove statement", *self._span(node), "pass")

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant) or _is_logging(node.value):
            return
        if isinstance(node.value, ast.Call | ast.Await):
            self._remove(node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if names & {"__all__", "__slots__"}:
            return
        if not names and all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._remove(node)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._remove(node)
        old, new = _ARITHMETIC.get(type(node.op), ("@", "@"))
        begin, end = self._span(node.target)[1], self._span(node.value)[0]
        self._swap("arithmetic", begin, end, (f"{old}=", f"{new}="))
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._remove(node)
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        self._remove(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            self._remove(node)
        elif not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._replace("return None", node.value, "None")
        self.generic_visit(node)

    def visit_Break(self, node: ast.Break) -> None:
        self._add("loop control", *self._span(node), "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._add("loop control", *self._span(node), "break")

    # -- conditions ---------------------------------------------------------------------------

    def _negate(self, test: ast.expr) -> None:
        twice = isinstance(test, ast.Compare) and len(test.ops) == 1
        if isinstance(test, ast.UnaryOp) or (twice and not _is_order(test)):
            return  # swapping its own operator is the same mutant
        self._replace("negate condition", test, f"not ({self._text(test)})")

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"):
            return
        self._negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self._negate(node.guard)
        self.generic_visit(node)

    # -- expressions --------------------------------------------------------------------------

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = (node.left, *node.comparators)
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            self._between("comparison", left, right, _COMPARISONS[type(operator)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        pair = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between("and/or", left, right, pair)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in _ARITHMETIC and not (_is_text(node.left) or _is_text(node.right)):
            self._between("arithmetic", node.left, node.right, _ARITHMETIC[type(node.op)])
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        sign = {ast.Not: "not", ast.USub: "-"}.get(type(node.op))
        if sign and self._has_right_position(node):
            start = self._span(node)[0]
            self._add("remove sign", start, start + len(sign), "")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in _NAMING_CALLS:
            self._visit_all(node.args[1:])
            return
        if isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS and not node.args:
            self._replace("remove call", node, self._text(node.func.value))
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._replace("string", node, '""')
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.visit(value.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and _SQL.match(self._text(node)):
            self._mutate_sql(node)
        else:
            operator = "string" if isinstance(node.value, str | bytes) else "constant"
            for text in _other_constants(node.value):
                self._replace(operator, node, text)

    def _mutate_sql(self, node: ast.Constant) -> None:
        """Only ASCII: the matches count characters, the source counts bytes."""
        text = self._text(node)
        if not text.isascii():
            return
        start = self._span(node)[0]
        for match in _SQL_TOKEN.finditer(text):
            if (other := _other_sql(text, match)) is not None:
                self._add("SQL", start + match.start(), start + match.end(), other)


def _other_sql(text: str, match: re.Match[str]) -> str | None:
    if match["number"]:
        return str(int(match["number"]) + 1)
    if match["word"] == "=":
        clauses = _SQL_CLAUSE.findall(text, 0, match.start())
        return "<>" if clauses and clauses[-1] in ("WHERE", "ON", "HAVING", "SELECT") else None
    return _SQL_SWAPS[" ".join(match["word"].split())]


def _other_constants(value: object) -> Iterator[str]:
    match value:
        case bool():
            yield str(not value)
        case int() | float():
            yield from (repr(value + 1), repr(value - 1))
        case str():
            yield '""' if value else '"XX"'
        case bytes():
            yield 'b""' if value else 'b"XX"'


def _is_order(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_logging(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in _LOGGERS
    )
