"""Collects every text that a person reads, from the documents, the gallery and the Python sources.

Each text is a `Text` with its file and line. Strings that only code reads (identifiers, routes, stored values,
imports, SQL) are left out.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GROUPS = ("docs", "web", "cli", "api", "messages", "names", "prose")

# One lower-case word without spaces: an identifier, a route, a stored value or a CSS class.
_CODE = re.compile(r"[a-z0-9_./:?=&$%{}#<>*-][\w./:?=&$%{}#<>*-]*")
_SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|DROP|PRAGMA|ALTER|REPLACE|EXPLAIN|SAVEPOINT)\b"
    r"|\b(FROM|WHERE|JOIN|ORDER BY|INDEXED BY)\s"
)
_FILE_NAME = re.compile(r"`[^`\s]*\.(?:py|ts|svelte|sql|md|json|txt)[^`\s]*`|\]\([^)\s]*\)")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CLI_FILES = {("app", "cli.py"), ("app", "serve.py")}
# Attributes whose values nobody reads.
_SILENT_ATTRIBUTES = {"class", "id", "type", "style", "href", "src", "d", "viewBox", "role", "for", "name", "lang"}


@dataclass(frozen=True, slots=True)
class Text:
    """`at` is the line in `path` where the text begins; a phrase may stand on a later one."""

    path: Path
    at: int
    text: str


def documents(path: Path) -> Iterator[Text]:
    """One text per document, without the names of files and the targets of links."""
    yield Text(path, 1, _FILE_NAME.sub(lambda found: " " * len(found[0]), path.read_text("utf-8")))


def words_of(name: str) -> tuple[str, ...]:
    """`carryingOn` and `carrying_on` are the words carrying, on."""
    return tuple(word.lower() for word in _WORD.findall(name))


def python_texts(path: Path, group: str) -> Iterator[Text]:
    """The texts of one of the groups cli, api, messages, names and prose."""
    place = "cli" if is_cli(path) else "api" if is_routes(path) else "messages"
    if group not in ("names", "prose", place):
        return
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    if group == "names":
        yield Text(path, 1, path.stem)
        yield from _python_names(path, tree)
    elif group == "prose":
        yield from _comments(path, source)
        if place == "messages":
            yield from _docstrings(path, tree)
    else:
        yield from _literals(path, tree)
        if place != "messages":
            yield from _docstrings(path, tree)


def is_cli(path: Path) -> bool:
    return path.parent.name == "cli" or path.stem.endswith("commands") or path.parts[-2:] in _CLI_FILES


def is_routes(path: Path) -> bool:
    return (
        bool({"server", "http"} & set(path.parts))
        or path.stem.endswith("routes")
        or path.parts[-2:] == ("app", "http.py")
    )


def _documented(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
            continue
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            yield first.value, first.value.value


def _docstrings(path: Path, tree: ast.Module) -> Iterator[Text]:
    for node, text in _documented(tree):
        yield Text(path, node.lineno, text)


def _literals(path: Path, tree: ast.Module) -> Iterator[Text]:
    """Strings that are neither docstrings nor code; each f-string is one text, with {} for its values."""
    skipped = {id(node) for node, _ in _documented(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
            text = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text = node.value
        else:
            continue
        if not _CODE.fullmatch(text) and not _SQL.search(text):
            yield Text(path, node.lineno, text)


def _comments(path: Path, source: str) -> Iterator[Text]:
    """Comments on consecutive lines are one text, so that a phrase may go across the line break."""
    block: list[str] = []
    begin = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if block and token.start[0] != begin + len(block):
            yield Text(path, begin, "\n".join(block))
            block = []
        begin = begin if block else token.start[0]
        block.append(token.string.lstrip("# "))
    if block:
        yield Text(path, begin, "\n".join(block))


def _python_names(path: Path, tree: ast.Module) -> Iterator[Text]:
    """Every name that is given here; those of functions end with ()."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Text(path, node.lineno, f"{node.name}()")
        elif isinstance(node, ast.ClassDef):
            yield Text(path, node.lineno, node.name)
        elif isinstance(node, ast.arg):
            yield Text(path, node.lineno, node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield Text(path, node.lineno, node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield Text(path, node.lineno, node.attr)


def web_texts(path: Path, group: str) -> Iterator[Text]:
    """The texts of a .ts or .svelte file: `web` is what the page shows, `names` the symbols, `prose` the comments."""
    source = path.read_text("utf-8")
    if path.suffix == ".svelte":
        scripts, markup = split_component(source)
    else:
        scripts, markup = source, ""
    code, strings, comments = lex_script(scripts)
    if group == "names":
        yield Text(path, 1, path.name.split(".")[0])
        for found in _DECLARED.finditer(code):
            name = next(one for one in found.groups() if one)
            yield Text(path, _line(code, found.start()), name)
    elif group == "prose":
        yield from (Text(path, _line(source, at), text) for at, text in comments)
    else:
        for at, text in [*strings, *lex_markup(markup)]:
            if not _CODE.fullmatch(text.strip()) and text.strip():
                yield Text(path, _line(source, at), text)


_DECLARED = re.compile(
    r"\b(?:function|const|let|class|interface|type|enum)\s+(\w+)"
    r"|^\s*(?:(?:async|static|get|set|readonly|private|public)\s+)*(\w+)\s*\([^)]*\)[^;{=]*\{\s*$",
    re.MULTILINE,
)


def split_component(source: str) -> tuple[str, str]:
    """The scripts and the markup of a component, each with everything else as blanks, so that offsets stay."""
    scripts, markup = _blank(source), source
    for found in re.finditer(r"<script\b[^>]*>(.*?)</script>", source, re.DOTALL):
        scripts = scripts[: found.start(1)] + found[1] + scripts[found.end(1) :]
        markup = markup[: found.start()] + _blank(found[0]) + markup[found.end() :]
    for pattern in (r"<style\b.*?</style>", r"<!--.*?-->"):
        markup = re.sub(pattern, lambda found: _blank(found[0]), markup, flags=re.DOTALL)
    return scripts, markup


def lex_script(source: str) -> tuple[str, list[tuple[int, str]], list[tuple[int, str]]]:
    """TypeScript with its strings and comments as blanks, the strings, and the comments, with their offsets.

    A template is one string, with {} for its expressions. What is imported is no string.
    """
    code: list[str] = []
    strings: list[tuple[int, str]] = []
    comments: list[tuple[int, str]] = []
    at = 0
    while at < len(source):
        end = _end_of_comment(source, at)
        if end:
            comments.append((at, source[at:end]))
        elif source[at] in "'\"":
            end = _end_of_string(source, at)
            if not re.search(r"(\bfrom|\bimport)\s*\(?$", source[max(0, at - 12) : at].rstrip()):
                strings.append((at, source[at + 1 : end - 1].replace("\\'", "'")))
        elif source[at] == "`":
            end, text, inner = _template(source, at)
            strings.append((at, text))
            strings.extend(inner)
        elif source[at] == "/" and _may_begin_pattern(source, at):
            end = _end_of_pattern(source, at)
        else:
            code.append(source[at])
            at += 1
            continue
        code.append(_blank(source[at:end]))
        at = end
    return "".join(code), strings, comments


def lex_markup(markup: str) -> Iterator[tuple[int, str]]:
    """What a component shows: its text, its attributes, and the strings in its expressions."""
    at, begin = 0, 0
    while at < len(markup):
        if markup[at] == "<" and re.match(r"</?[A-Za-z]", markup[at : at + 3]):
            yield begin, _collapsed(markup[begin:at])
            end = _end_of_tag(markup, at)
            yield from _attributes(markup, at, end)
        elif markup[at] == "{":
            end = _end_of_braces(markup, at)
            yield from ((at + 1 + where, text) for where, text in lex_script(markup[at + 1 : end - 1])[1])
            markup = markup[:at] + re.sub(r"\S", "\x00", markup[at:end]) + markup[end:]
            at = end
            continue
        else:
            at += 1
            continue
        at = begin = end
    yield begin, _collapsed(markup[begin:])


def _attributes(markup: str, at: int, end: int) -> Iterator[tuple[int, str]]:
    while at < end:
        if markup[at] in "\"'":
            close = _end_of_string(markup, at, braces=True)
            name = re.search(r"([\w:|-]+)\s*=\s*$", markup[max(0, at - 40) : at])
            if name and name[1] not in _SILENT_ATTRIBUTES:
                yield at, re.sub(r"\{[^}]*\}", "{}", markup[at + 1 : close - 1])
                yield from (
                    (at + 1 + part.start() + where, text)
                    for part in re.finditer(r"\{[^}]*\}", markup[at + 1 : close - 1])
                    for where, text in lex_script(part[0])[1]
                )
            at = close
        elif markup[at] == "{":
            close = _end_of_braces(markup, at)
            yield from ((at + 1 + where, text) for where, text in lex_script(markup[at + 1 : close - 1])[1])
            at = close
        else:
            at += 1


def _end_of_tag(markup: str, at: int) -> int:
    while at < len(markup) and markup[at] != ">":
        if markup[at] in "\"'":
            at = _end_of_string(markup, at, braces=True)
        elif markup[at] == "{":
            at = _end_of_braces(markup, at)
        else:
            at += 1
    return min(at + 1, len(markup))


def _end_of_braces(source: str, at: int) -> int:
    """The offset after the brace that closes the one at `at`."""
    begin, depth = at, 0
    while at < len(source):
        if source[at] in "'\"":
            at = _end_of_string(source, at)
            continue
        if source[at] == "`":
            at = _template(source, at)[0]
            continue
        if end := _end_of_comment(source, at):
            at = end
            continue
        # `{/if}` ends a block of the markup.
        if source[at] == "/" and at > begin + 1 and _may_begin_pattern(source, at):
            at = _end_of_pattern(source, at)
            continue
        depth += (source[at] == "{") - (source[at] == "}")
        at += 1
        if depth == 0:
            break
    return at


def _end_of_comment(source: str, at: int) -> int:
    """The offset after a comment that begins here; 0 if none does."""
    if source.startswith("//", at) and source[at - 1 : at] != ":":
        return end if (end := source.find("\n", at)) >= 0 else len(source)
    if source.startswith("/*", at):
        return end + 2 if (end := source.find("*/", at)) >= 0 else len(source)
    return 0


def _end_of_string(source: str, at: int, *, braces: bool = False) -> int:
    quote, at = source[at], at + 1
    while at < len(source) and source[at] != quote:
        if braces and source[at] == "{":
            at = _end_of_braces(source, at)
        else:
            at += 2 if source[at] == "\\" else 1
    return at + 1


def _template(source: str, at: int) -> tuple[int, str, list[tuple[int, str]]]:
    """Where a template ends, its text with {} for expressions, and the strings in those."""
    text: list[str] = []
    inner: list[tuple[int, str]] = []
    at += 1
    while at < len(source) and source[at] != "`":
        if source.startswith("${", at):
            end = _end_of_braces(source, at + 1)
            inner += [(at + 2 + where, one) for where, one in lex_script(source[at + 2 : end - 1])[1]]
            text.append("{}")
            at = end
        else:
            text.append(source[at])
            at += 2 if source[at] == "\\" else 1
    return at + 1, "".join(text), inner


def _may_begin_pattern(source: str, at: int) -> bool:
    before = source[max(0, at - 40) : at].rstrip()[-7:]
    return not before or before[-1] in "(,=:[!&|?{};+" or before.endswith("return")


def _end_of_pattern(source: str, at: int) -> int:
    at, in_class = at + 1, False
    while at < len(source) and source[at] != "\n" and (in_class or source[at] != "/"):
        in_class = source[at] == "[" or (in_class and source[at] != "]")
        at += 2 if source[at] == "\\" else 1
    return at + 1


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _collapsed(text: str) -> str:
    """Markup text with {} where an expression stood; lines stay."""
    return re.sub("\x00[\x00 ]*", "{}", text)


def _line(source: str, at: int) -> int:
    return source.count("\n", 0, at) + 1
