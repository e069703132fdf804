"""Prompt templates: text with variables, choices and wildcards.

    {subject}            a variable; stays as written if it has no value
    {red|blue|green}     one of them; {2::red|blue} picks red twice as often
    {2$$red|blue|green}  two of them, joined by a comma; {2$$ and $$red|blue|green} joins by “ and ”;
                         {1-2$$…} one or two
    __color__            a line of the wildcard with that name
    \\{ \\| \\_            these characters, literally

This is the commonly used subset of the Dynamic Prompts syntax, parsed in linear time. Other braces, such as
NovelAI's emphasis, stay as written.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mysticanvas.domain.errors import InvalidInputError

MAX_TEMPLATE = 50_000
MAX_EXPANDED = 100_000
MAX_DEPTH = 32
MAX_WILDCARD_DEPTH = 8

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,39}")
_WILDCARD = re.compile(r"__([A-Za-z0-9][A-Za-z0-9_/*-]{0,79}?)__")
_HOW_MANY = re.compile(r"\s*(\d{1,2})?(-)?(\d{1,2})?\s*")
_WEIGHT = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?)::")


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    written: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Picks `low` to `high` of the options, without repetition, and joins them with `joiner`."""

    options: tuple["Parts", ...]
    weights: tuple[float, ...]
    low: int = 1
    high: int = 1
    joiner: str = ", "


Part = str | Variable | Wildcard | Choice
Parts = tuple[Part, ...]


@dataclass(slots=True)
class _Open:
    """An open brace: its options so far, the last of which is being read."""

    start: int
    options: list[list[Part]] = field(default_factory=lambda: [[]])


def parse(text: str) -> Parts:
    """Raises `InvalidInputError` if the template is too long or nested too deeply."""
    if len(text) > MAX_TEMPLATE:
        raise InvalidInputError(f"A template can have at most {MAX_TEMPLATE:,} characters.")
    stack = [_Open(-1)]
    at = 0
    while at < len(text):
        at = _read_one(text, at, stack)
    while len(stack) > 1:
        _close_as_text(stack, text)
    return tuple(_merge_texts(stack[0].options[0]))


def _read_one(text: str, at: int, stack: list[_Open]) -> int:
    character, here = text[at], stack[-1].options[-1]
    if character == "\\" and at + 1 < len(text) and text[at + 1] in "{}|_\\":
        here.append(text[at + 1])
        return at + 2
    if character == "{":
        if len(stack) > MAX_DEPTH:
            raise InvalidInputError(f"Choices in a template can be nested at most {MAX_DEPTH} levels deep.")
        stack.append(_Open(at))
    elif character == "}" and len(stack) > 1:
        opened = stack.pop()
        stack[-1].options[-1].extend(_close(opened, text[opened.start : at + 1]))
    elif character == "|" and len(stack) > 1:
        stack[-1].options.append([])
    elif character == "_" and (match := _WILDCARD.match(text, at)):
        here.append(Wildcard(match[1]))
        return match.end()
    else:
        here.append(character)
    return at + 1


def _close(opened: _Open, written: str) -> list[Part]:
    options = [_merge_texts(option) for option in opened.options]
    if len(options) == 1:
        only = options[0]
        text = only[0] if len(only) == 1 and isinstance(only[0], str) else ""
        if _VARIABLE.fullmatch(text.strip()):
            return [Variable(text.strip(), written)]
        return ["{", *only, "}"]
    low, high, joiner, first = _parse_count(options[0])
    weighed = [_parse_weight(option) for option in [first, *options[1:]]]
    return [Choice(tuple(tuple(o) for o, _ in weighed), tuple(w for _, w in weighed), low, high, joiner)]


def _parse_count(first: list[Part]) -> tuple[int, int, str, list[Part]]:
    text = first[0] if first and isinstance(first[0], str) else ""
    count, marks, rest = text.partition("$$")
    match = _HOW_MANY.fullmatch(count)
    if not marks or match is None or not (match[1] or match[3]):
        return 1, 1, ", ", first
    low = int(match[1] or 1)
    high = int(match[3] or low) if match[2] else low
    joiner, more, after = rest.partition("$$")
    begin = after if more else rest
    return low, max(low, high), joiner if more else ", ", [begin, *first[1:]]


def _parse_weight(option: list[Part]) -> tuple[list[Part], float]:
    text = option[0] if option and isinstance(option[0], str) else ""
    match = _WEIGHT.match(text)
    return ([text[match.end() :], *option[1:]], float(match[1])) if match else (option, 1.0)


def _close_as_text(stack: list[_Open], text: str) -> None:
    """A brace that is never closed is plain text."""
    opened = stack.pop()
    here = stack[-1].options[-1]
    here.append("{")
    for number, option in enumerate(opened.options):
        here.extend(["|", *option] if number else option)


def _merge_texts(parts: Sequence[Part]) -> list[Part]:
    """The parts with adjacent texts merged."""
    found: list[Part] = []
    texts: list[str] = []
    for part in [*parts, None]:
        if isinstance(part, str):
            texts.append(part)
            continue
        if texts:
            found.append("".join(texts))
            texts = []
        if part is not None:
            found.append(part)
    return found


# -- expanding ------------------------------------------------------------------------------------


def list_variables(parts: Parts) -> list[str]:
    """Names of variables, each once, in order of appearance; includes those in choices."""
    return list(dict.fromkeys(part.name for part in _list_parts(parts) if isinstance(part, Variable)))


def list_wildcards(parts: Parts) -> list[str]:
    return list(dict.fromkeys(part.name for part in _list_parts(parts) if isinstance(part, Wildcard)))


def _list_parts(parts: Parts) -> list[Part]:
    found: list[Part] = []
    for part in parts:
        found.append(part)
        if isinstance(part, Choice):
            for option in part.options:
                found += _list_parts(option)
    return found


def expand(text: str, *, seed: int, values: Mapping[str, str], lines_of: Callable[[str], Sequence[str]]) -> str:
    """One prompt; the same seed gives the same prompt.

    `lines_of` returns the lines of a wildcard, [] for an unknown one, which stays as written.
    Raises `InvalidInputError` if the result is too long or a wildcard refers to itself.
    """
    return _Expansion(random.Random(seed), values, lines_of).expand(parse(text), 0)


@dataclass(slots=True)
class _Expansion:
    chance: random.Random
    values: Mapping[str, str]
    lines_of: Callable[[str], Sequence[str]]
    length: int = 0

    def expand(self, parts: Parts, depth: int) -> str:
        return "".join(self._expand_part(part, depth) for part in parts)

    def _expand_part(self, part: Part, depth: int) -> str:
        match part:
            case str():
                return self._check_length(part)
            case Variable():
                return self._check_length(self.values.get(part.name, part.written))
            case Wildcard():
                return self._expand_wildcard(part, depth)
            case Choice():
                return part.joiner.join(self.expand(option, depth) for option in self._choose(part))

    def _check_length(self, text: str) -> str:
        self.length += len(text)
        if self.length > MAX_EXPANDED:
            raise InvalidInputError(f"This template expands to more than {MAX_EXPANDED:,} characters. Shorten it.")
        return text

    def _expand_wildcard(self, wildcard: Wildcard, depth: int) -> str:
        lines = self.lines_of(wildcard.name)
        if not lines:
            return self._check_length(f"__{wildcard.name}__")
        if depth >= MAX_WILDCARD_DEPTH:
            raise InvalidInputError(f"The wildcard “{wildcard.name}” refers to itself.")
        return self.expand(parse(self.chance.choice(lines)), depth + 1)

    def _choose(self, choice: Choice) -> list[Parts]:
        left = list(range(len(choice.options)))
        count = min(len(left), self.chance.randint(choice.low, choice.high))
        chosen = []
        for _ in range(count):
            weights = [choice.weights[i] for i in left]
            pick = self.chance.choices(left, weights)[0] if sum(weights) > 0 else self.chance.choice(left)
            left.remove(pick)
            chosen.append(choice.options[pick])
        return chosen
