"""Bulk edits of tags as text, one command per line. The export of all tags uses the same format.

    tag fox : animal            a tag and its category
    alias vixen -> fox          add an alias          unalias vixen
    imply fox -> animal         add an implication    unimply fox -> animal
    rename foxy -> fox like     change the name
    merge foxes -> fox          move assignments and relations to the other tag, delete the tag
    retag foxes -> fox          move assignments to the other tag, keep the tag
    split red fox -> red, fox   move assignments to several tags, delete the tag
    delete blurry fox           delete the tag with its assignments
    threshold vision 0.4        minimum confidence; `threshold vision 0.4 : fox` for one tag

Blank lines and lines that begin with # are ignored.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.tag import TagSource, parse_tag_name
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.tags import queries, relation_queries
from mysticanvas.features.tags.edits import (
    AddAlias,
    AddImplication,
    DeleteTag,
    EnsureTag,
    MergeTag,
    MoveAssignments,
    RemoveAlias,
    RemoveImplication,
    RenameTag,
    SetThreshold,
    SplitTag,
)

MAX_LINES = 20_000
MAX_LINE_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str
    edit: Edit


def parse(text: str) -> list[Line]:
    """The commands of a bulk edit. Raises `InvalidInputError` with the line number."""
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise InvalidInputError(f"A bulk edit can have at most {MAX_LINES:,} lines. Split it into several.")
    found = []
    for number, line in enumerate(lines, 1):
        words = line.strip().removeprefix("\ufeff")
        if not words or words.startswith("#"):
            continue
        try:
            if len(words) > MAX_LINE_CHARACTERS:
                raise InvalidInputError(f"a line can have at most {MAX_LINE_CHARACTERS:,} characters")
            found.append(Line(number, words, _parse_edit(words)))
        except InvalidInputError as error:
            raise InvalidInputError(f"Line {number}: {error}") from error
    return found


def _parse_edit(line: str) -> Edit:
    verb, _, rest = line.partition(" ")
    verb, rest = verb.lower(), rest.strip()
    if verb == "tag":
        name, _, category = rest.rpartition(" : ") if " : " in rest else (rest, "", "")
        return EnsureTag(tag=_parse_name(name), category=category.strip() or None)
    if verb == "delete":
        return DeleteTag(tag=_parse_name(rest))
    if verb == "unalias":
        return RemoveAlias(tag=_parse_name(rest))
    if verb == "threshold":
        return _parse_threshold(rest)
    left, arrow, right = rest.partition("->")
    if verb not in _PAIRS or not arrow:
        raise InvalidInputError(f"“{line[:60]}” is not a command. Example: alias vixen -> fox")
    return _PAIRS[verb](_parse_name(left), right)


_PAIRS: dict[str, Callable[[str, str], Edit]] = {
    "alias": lambda tag, other: AddAlias(tag=tag, of=_parse_name(other), across=True),
    "imply": lambda tag, other: AddImplication(tag=tag, implies=_parse_name(other)),
    "unimply": lambda tag, other: RemoveImplication(tag=tag, implies=_parse_name(other)),
    "rename": lambda tag, other: RenameTag(tag=tag, to=_parse_name(other)),
    "merge": lambda tag, other: MergeTag(tag=tag, to=_parse_name(other)),
    "retag": lambda tag, other: MoveAssignments(tag=tag, to=_parse_name(other)),
    "split": lambda tag, others: SplitTag(tag=tag, to=[_parse_name(part) for part in others.split(",")]),
}


def _parse_threshold(text: str) -> SetThreshold:
    setting, _, name = text.partition(" : ")
    source, _, value = setting.strip().partition(" ")
    try:
        number = None if value.strip() == "none" else float(value)
    except ValueError as error:
        raise InvalidInputError("a threshold must be a number from 0 to 1, or none") from error
    if source not in list(TagSource):
        raise InvalidInputError(f"“{source}” is not a tag source; use one of: {', '.join(TagSource)}")
    return SetThreshold(source=source, value=number, tag=_parse_name(name) if name.strip() else None)


def _parse_name(text: str) -> str:
    return parse_tag_name(text.strip()).shown


def write_tags(tx: ReadTx) -> str:
    """All tags with their relations and thresholds as a bulk edit that recreates them. Equal vocabularies give equal
    texts."""
    lines = [f"tag {name}{f' : {category}' if category else ''}" for name, category in queries.list_known(tx)]
    aliases, implications = relation_queries.list_edges(tx)
    lines += [f"alias {name} -> {target}" for name, target in aliases]
    lines += [f"imply {name} -> {implied}" for name, implied in implications]
    lines += _write_thresholds(queries.get_thresholds(tx, None).items(), "")
    for tag, name in queries.list_with_thresholds(tx):
        lines += _write_thresholds(queries.get_thresholds(tx, tag).items(), f" : {name}")
    return "\n".join(lines) + "\n" if lines else ""


def _write_thresholds(values: Iterable[tuple[str, float]], of: str) -> list[str]:
    return [f"threshold {source} {value:g}{of}" for source, value in values]


def list_edits(lines: Sequence[Line]) -> list[Edit]:
    """The edits of a bulk edit, in order. Raises `InvalidInputError` if there are none."""
    if not lines:
        raise InvalidInputError("The bulk edit contains no commands. Enter one command per line.")
    return [line.edit for line in lines]
