"""The query language: parses text to a tree and formats it back. Used by gallery, API, CLI and smart collections.

    query := any [~value]              any   := all (OR all)*
    all   := one (AND? one)*           one   := (- | NOT) one | ( any ) | term
    term  := [field:] value            value := "in quotes" | bare

Words are combined with AND, which binds tighter than OR. Quotes make a phrase; in quotes, \\" and \\\\ mean " and \\.
An unquoted value ends at a space, a quotation mark or an unmatched ), so `tag:miku_(vocaloid)` is one value.
`sort:`, `like:`, `looks:` and ~ are only valid outside of parentheses. `fields.py` defines the values of each field.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from mysticanvas.domain.errors import QueryError
from mysticanvas.domain.query import (
    SYNONYMS,
    AddedBetween,
    All,
    Any,
    Field,
    Has,
    HasShape,
    Interval,
    Is,
    LooksLikeImage,
    LooksLikeText,
    MadeBetween,
    NamedValue,
    Node,
    Not,
    Number,
    Order,
    Query,
    Ratio,
    Similar,
    SimilarMeaning,
    SimilarPrompt,
    Size,
    Sort,
    Term,
    Text,
    all_of,
    any_of,
    list_terms,
    negate,
)
from mysticanvas.search import days, fields
from mysticanvas.search.fields import RawTerm

MAX_CHARACTERS = 2_000
MAX_TERMS = 64
MAX_DEPTH = 16

_FIELD = re.compile(r"([^\W\d_]\w*):", re.ASCII)
_OPERATORS = ("OR", "AND", "NOT")


class Kind(Enum):
    TERM = auto()
    MEANING = auto()
    OPEN = auto()
    CLOSE = auto()
    MINUS = auto()
    OR = auto()
    AND = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """`field` as typed, None for words; `end` is the position after the last character."""

    kind: Kind
    position: int
    end: int
    field: str | None = None
    value: str = ""
    quoted: bool = False


def parse(text: str) -> Query:
    """Raises `QueryError`, which contains the position of the error."""
    if len(text) > MAX_CHARACTERS:
        raise QueryError(f"A search can have at most {MAX_CHARACTERS:,} characters. Shorten it.", MAX_CHARACTERS)
    parser = _Parser(tokenize(text))
    where = parser.parse_query()
    if where is not None and sum(1 for _ in list_terms(where)) > MAX_TERMS:
        raise QueryError(f"A search can have at most {MAX_TERMS} terms. Remove some.", 0)
    return Query(where, parser.get_sort(), parser.similar)


def tokenize(text: str) -> list[Token]:
    """Raises `QueryError` for an unclosed quote."""
    found = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _read_token(text, at)
        found.append(token)
        at = token.end
    return found


def _read_token(text: str, at: int) -> Token:
    if text[at] in "()":
        return Token(Kind.OPEN if text[at] == "(" else Kind.CLOSE, at, at + 1)
    if text[at] == "-" and at + 1 < len(text) and not text[at + 1].isspace():
        return Token(Kind.MINUS, at, at + 1)
    if text[at] == "~" and at + 1 < len(text) and not text[at + 1].isspace():
        value, end = _read_value(text, at + 1)
        return Token(Kind.MEANING, at, end, None, value)
    field, begin = None, at
    if match := _FIELD.match(text, at):
        field, begin = match[1], match.end()
    if begin < len(text) and text[begin] == '"':
        value, end = _read_quoted_value(text, begin)
        weight = re.compile(r"[<>=]{1,2}-?[\d.]+").match(text, end)
        if field and weight:
            return Token(Kind.TERM, at, weight.end(), field, value + weight[0])
        return Token(Kind.TERM, at, end, field, value, quoted=True)
    end = _find_bare_end(text, begin)
    value = text[begin:end]
    if field is None and value in _OPERATORS:
        kind = {"OR": Kind.OR, "AND": Kind.AND, "NOT": Kind.MINUS}[value]
        return Token(kind, at, end)
    return Token(Kind.TERM, at, end, field, value)


def _read_value(text: str, at: int) -> tuple[str, int]:
    """The quoted or unquoted value at this position, and the position after it."""
    if text[at] == '"':
        return _read_quoted_value(text, at)
    end = _find_bare_end(text, at)
    return text[at:end], end


def _read_quoted_value(text: str, at: int) -> tuple[str, int]:
    """The content of the quotes that begin here, and the position after them."""
    match = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL).match(text, at)
    if match is None:
        raise QueryError("This quotation mark is not closed.", at, text[at:] + '"')
    return re.sub(r'\\(["\\])', r"\1", match[1]).strip(), match.end()


def _find_bare_end(text: str, at: int) -> int:
    opened = 0
    while at < len(text) and not text[at].isspace() and text[at] != '"':
        if text[at] == "(":
            opened += 1
        elif text[at] == ")":
            opened -= 1
            if opened < 0:
                break
        at += 1
    return at


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self.sort: Sort | None = None
        self.similar: Similar | None = None
        self._sorted_at = 0

    def get_sort(self) -> Sort | None:
        """The sort order; None for the default."""
        if self.sort != Sort(Order.SIMILARITY):
            return self.sort
        if self.similar is None:
            sentence = "sort:similarity requires a similarity search. Add ~ and a description in quotation marks."
            raise QueryError(sentence, self._sorted_at, fields.SIMILAR_EXAMPLE)
        return None

    def parse_query(self) -> Node | None:
        node = self._parse_any()
        if (left := self._peek()) is not None:
            raise QueryError("This parenthesis has no opening parenthesis.", left.position)
        return node

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _parse_any(self) -> Node | None:
        parts: list[Node] = []
        while True:
            before = self._at
            part = self._parse_all()
            token = self._peek()
            is_or = token is not None and token.kind is Kind.OR
            if part is None and (is_or or parts):
                place = token if is_or else self._tokens[before - 1]
                raise QueryError(
                    "OR must be between two terms. To search for the word OR, enclose it in quotation marks.",
                    place.position if place else 0,
                    '"OR"',
                )
            if part is not None:
                parts.append(part)
            if not is_or:
                return any_of(parts) if parts else None
            self._at += 1

    def _parse_all(self) -> Node | None:
        parts: list[Node] = []
        while (token := self._peek()) is not None and token.kind not in (Kind.OR, Kind.CLOSE):
            if token.kind is Kind.AND:
                self._at += 1
                continue
            part = self._parse_one(negated=False)
            if part is not None:
                parts.append(part)
        return all_of(parts) if parts else None

    def _parse_one(self, *, negated: bool) -> Node | None:
        token = self._peek()
        if token is None or token.kind in (Kind.CLOSE, Kind.OR, Kind.AND):
            place = self._tokens[self._at - 1].position
            raise QueryError("A minus sign must be followed by the term to exclude.", place)
        self._at += 1
        match token.kind:
            case Kind.MINUS:
                self._enter(token)
                part = self._parse_one(negated=True)
                self._depth -= 1
                return negate(part) if part is not None else None
            case Kind.OPEN:
                return self._parse_group(token)
            case Kind.MEANING:
                self._set_similar(SimilarMeaning(token.value), token, negated=negated)
                return None
            case _:
                return self._parse_term(token, negated=negated)

    def _parse_group(self, opened: Token) -> Node | None:
        self._enter(opened)
        inside = self._parse_any()
        closing = self._peek()
        if closing is None:
            raise QueryError("This parenthesis is not closed.", opened.position)
        self._at += 1
        self._depth -= 1
        return inside

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError(f"Parentheses can be nested at most {MAX_DEPTH} levels deep.", token.position)

    def _parse_term(self, token: Token, *, negated: bool) -> Node | None:
        if token.field is None:
            return Text(token.value) if token.value else None
        field = find_field(token.field)
        if field is None:
            raise fields.build_unknown_error(token.field, token.value, token.position)
        given = RawTerm(field, token.field, token.value, token.position, token.quoted)
        fields.require_value(given)
        if field in (Field.LIKE, Field.LOOKS):
            similar = fields.read_like(given) if field is Field.LIKE else fields.read_looks(given)
            self._set_similar(similar, token, negated=negated)
            return None
        if field is not Field.SORT:
            return fields.read(given)
        if negated or self._depth or self.sort is not None:
            sentence = "Use sort: only once, outside of parentheses and without a minus sign."
            raise QueryError(sentence, token.position, "sort:oldest")
        self.sort, self._sorted_at = fields.read_sort(given), token.position
        return None

    def _set_similar(self, similar: Similar, token: Token, *, negated: bool) -> None:
        if not token.value:
            raise QueryError("Add a description after ~.", token.position, fields.SIMILAR_EXAMPLE)
        if negated or self._depth or self.similar is not None:
            sentence = "Use ~, like: or looks: only once, outside of parentheses and without a minus sign."
            raise QueryError(sentence, token.position, fields.SIMILAR_EXAMPLE)
        self.similar = similar


def find_field(name: str) -> Field | None:
    """The field with this name or synonym; None if there is none."""
    lower = name.lower()
    return Field(lower) if lower in set(Field) else SYNONYMS.get(lower)


# -- tree to text -----------------------------------------------------------------------------


def write(query: Query) -> str:
    """The text that parses to this query."""
    texts = [] if query.where is None else [format_node(query.where)]
    if query.similar is not None:
        # Parentheses make clear that similarity applies to all alternatives of an OR.
        texts = [f"({text})" if isinstance(query.where, Any) else text for text in texts]
        texts.append(format_similar(query.similar))
    texts += [] if query.sort is None else [format_sort(query.sort)]
    return " ".join(texts)


def format_parts(query: Query) -> list[tuple[Node, str]]:
    """The required parts of the query, each with a text. The texts can be joined with spaces."""
    return [(part, _format_inside(part)) for part in query.parts]


def format_node(node: Node) -> str:
    """The node as text. Nested alternatives are in parentheses."""
    match node:
        case All(parts):
            return " ".join(_format_inside(part) for part in parts)
        case Any(parts):
            return " OR ".join(format_node(part) for part in parts)
        case Not(part):
            return "-" + (f"({format_node(part)})" if isinstance(part, All | Any) else format_node(part))
        case _:
            return _format_term(node)


def _format_inside(part: Node) -> str:
    return f"({format_node(part)})" if isinstance(part, Any) else format_node(part)


def format_similar(similar: Similar) -> str:
    match similar:
        case SimilarMeaning(text):
            return "~" + quote(text, always=True)
        case SimilarPrompt(uuid):
            return f"{Field.LIKE.written}:{uuid}"
        case LooksLikeText(text):
            return f"{Field.LOOKS.written}:{quote(text, always=True)}"
        case LooksLikeImage(uuid):
            return f"{Field.LOOKS.written}:{uuid}"


def format_sort(sort: Sort) -> str:
    return f"sort:{sort.by}" + (f":{sort.seed}" if sort.seed is not None else "")


def _format_term(term: Term) -> str:
    match term:
        case Text(text, field):
            return f"{field.written}:{quote(text)}" if field else _format_word(text)
        case NamedValue(field, value, weight):
            name = quote(value, always=field in fields.WEIGHED and bool(re.search("[<>=]", value)))
            return f"{field.written}:{name}" + (_format_weight(weight) if weight else "")
        case Number(field, interval):
            return f"{field.written}:{fields.format_interval(interval)}"
        case MadeBetween():
            return f"date:{days.write(term)}"
        case AddedBetween():
            return f"added:{days.write(term)}"
        case Size(operator, width, height):
            return f"size:{'' if operator == '=' else operator}{width}x{height}"
        case Ratio(width, height):
            return f"size:{width}:{height}"
        case HasShape(shape):
            return f"size:{shape}"
        case Is(state):
            return f"is:{state.written}"
        case Has(thing):
            return f"has:{thing}"


def _format_weight(weight: Interval) -> str:
    text = fields.format_interval(weight)
    return text if text[0] in "<>" else f"={text}"


def _format_word(text: str) -> str:
    """Words without a field, quoted if they would be parsed as an operator or a field."""
    special = text in _OPERATORS or text[:1] in ("-", "(", ")", "~") or _FIELD.match(text) is not None
    return quote(text, always=special)


def quote(text: str, *, always: bool = False) -> str:
    """The text as a value, quoted if necessary."""
    if not always and text and text[0] != '"' and _find_bare_end(text, 0) == len(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
