"""What people read uses the words that users of A1111, ComfyUI and GitHub know.

Each phrase below is wrong in every sense. Words with an ordinary second sense (following, script, negative, engine,
choose, told) are for review. To list what is found in all groups, or in some of them:

    python tests/structure/test_words.py [docs web cli api messages names prose]
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)] if __name__ == "__main__" else []

from tests.words import GROUPS, Text, documents, python_texts, web_texts, words_of  # noqa: E402

# The groups that are held to the list.
SCANNED: tuple[str, ...] = ("docs", "cli", "api", "messages", "names", "prose", "web")

# What to write instead, the phrase, and a sentence that contains it.
FORBIDDEN: tuple[tuple[str, str, str], ...] = (
    ("edit (stored) or action (UI)", r"deeds?", "Every deed can be undone."),
    ("run in the background", r"carr(y|ies|ied|ying) on", "It is carrying on with the rest."),
    ("import", r"(take|takes|taking|took) in", "It takes in the folders."),
    ("import", r"(be|been|is|are|was|were) taken in", "Three files could not be taken in."),
    ("import", r"take (it|them|this|these) in", "Reject it, or take it in."),
    ("migrate from", r"(take|takes|taking|took|taken) over", "Taking over another gallery."),
    ("fix or repair", r"mend(s|ed|ing)?", "Nothing was left to mend."),
    ("support bundle", r"diagnosing", "A file for diagnosing."),
    ("support bundle", r"(for )?who(ever)? helps you", "A bundle for who helps you."),
    ("archive", r"whole library", "Export the whole library."),
    ("moving or archiving", r"into a drawer", "To another machine or into a drawer."),
    ("merge duplicates", r"(keep|keeps|keeping|kept) one", "Keep one of these images."),
    ("merge duplicates", r"(is|be) kept by a", "One is kept by a deed."),
    ("blur NSFW", r"safe view", "Press v for the safe view."),
    ("NSFW", r"not everybody wants", "What not everybody wants to see."),
    ("permanently", r"for good", "Delete for good."),
    ("moved to Trash", r"(go|goes|going|went|gone) (in)?to the trash", "The image goes to the Trash."),
    ("how many, or name the number", r"so many", "Read at most so many MB a second."),
    ("no longer, or nothing", r"any ?more", "This image is not there any more."),
    ("anyone who, or you", r"who(so)?ever", "Whoever is signed in stays signed in."),
    ("reported to, or set", r"(told|tells?|telling) of", "The model is told of it."),
    ("assigned, set, reported", r"(said|spoken|speaks?) of", "What was said of the image."),
    ("your ratings, tags and notes", r"(what|all that|that|all) you wrote", "All that you wrote stays."),
    (
        "your ratings, tags and notes",
        r"what (they|the person|people|a person) (wrote|writes?)",
        "What they wrote stays.",
    ),
    ("100 %", r"own size", "Show it in its own size."),
    ("save as template", r"keep as a template", "Keep as a template."),
    ("copy generation data", r"copy all parameters", "Copy all parameters."),
    ("API key (optional)", r"key if the server wants", "Key if the server wants one."),
    ("OpenAI-compatible API", r"with the interface of", "A server with the interface of OpenAI."),
    ("visually similar", r"looks? alike", "Images that look alike."),
    ("same settings and seed", r"same recipe", "Images of the same recipe."),
    ("convert to manual", r"freeze to", "Freeze to a collection by hand."),
    ("manual or smart collection", r"collections? by (hand|search)", "A collection by hand."),
    ("preview scan", r"what would change", "What would change?"),
    ("no jobs", r"there is no work", "There is no work."),
    ("redone", r"done again", "It can be done again."),
    ("no changes yet", r"nothing was done yet", "Nothing was done yet."),
    ("suggested tags", r"words of (a )?models?", "Words of models wait here."),
    ("perceptual hash, similarity", r"likeness(es)?", "Their likeness is measured."),
    ("settings", r"wishes", "The wishes of the person."),
    ("name the fault", r"nobody (did it|is to blame)", "Nobody did it."),
    ("in", r"there(in|by|of|upon)|where(by|upon|fore|abouts)", "Its whereabouts are known."),
    ("for example", r"such as it is", "The page, such as it is."),
    ("again, from scratch", r"anew", "It is built anew."),
    ("forever, permanently", r"for ever|once and for ever", "It stays for ever."),
)

# American spelling: the British form, as it begins.
BRITISH = (
    r"favourit\w*", r"colour\w*", r"recolour\w*", r"behaviour\w*", r"neighbour\w*", r"honour\w*", r"licence\w*",
    r"catalogue\w*", r"centre[ds]?", r"grey\w*",
    r"(organ|recogn|normal|serial|optim|initial|minim|maxim|summar|synchron)is(e|es|ed|ing|ation)",
    r"analys(e|ed|ing)\b", r"labell(ed|ing)", r"cancell(ing)", r"judgement", r"artefacts?",
)  # fmt: skip

# Names of modules and symbols: words next to each other in a name.
FORBIDDEN_NAMES: tuple[tuple[str, ...], ...] = (
    ("deed",), ("deeds",), ("carrying", "on"), ("carry", "on"), ("taking", "in"), ("take", "in"), ("taken", "in"),
    ("taking", "over"), ("take", "over"), ("mending",), ("mend",), ("mended",), ("diagnosing",), ("whole", "library"),
    ("keeping", "one"), ("keep", "one"), ("likeness",), ("wishes",), ("trouble",), ("sight",), ("eye",), ("eyes",),
    ("looking",), ("safe", "view"), ("whereabouts",), ("left", "out"), ("broken", "off"), ("nobody", "did", "it"),
)  # fmt: skip
# The same, where the name is nothing else.
FORBIDDEN_WHOLE_NAMES = ("following", "stale", "said", "told", "informed", "organise", "organising", "undoing", "roots")
# A function is a verb.
FORBIDDEN_FUNCTION_NAMES = ("listed", "named", "shown", "told", "said", "known", "wanted", "made", "kept")


@dataclass(frozen=True, slots=True)
class Exemption:
    """A line that keeps its word: the end of its file's path, a part of the line, and why."""

    path: str
    part: str
    why: str


EXEMPT: tuple[Exemption, ...] = (
    Exemption("README.md", "`mysticanvas tag`, `collect`, `rate`, `favourite`, `note`", "the name of a command"),
    Exemption("features/images/commands.py", "mysticanvas favourite", "the name of a command"),
    Exemption("features/autotag/routes.py", "mending nets", "what a fisherman does"),
    Exemption("features/autotag/prompting.py", "mending nets", "what a fisherman does"),
    Exemption("edits/types.py", 'UNDOING = "undoing"', "a stored state"),
    Exemption("features/archive/schema.py", "roots: list[str]", "a field of stored archives"),
)


@dataclass(frozen=True, slots=True)
class Offence:
    path: Path
    line: int
    phrase: str
    instead: str
    excerpt: str

    def __str__(self) -> str:
        name = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{name}:{self.line}: “{self.phrase}” → {self.instead}: {self.excerpt}"


_PHRASES = tuple(
    (instead, re.compile(r"\b(?:" + phrase.replace(" ", r"\s+") + r")\b", re.IGNORECASE))
    for instead, phrase, _ in FORBIDDEN
) + (("the American spelling", re.compile(r"\b(?:" + "|".join(BRITISH) + r")\b", re.IGNORECASE)),)


def offences_in(text: Text) -> Iterator[Offence]:
    """Every forbidden phrase of a text, also across a line break."""
    lines = text.text.split("\n")
    for instead, pattern in _PHRASES:
        for found in pattern.finditer(text.text):
            below = text.text.count("\n", 0, found.start())
            phrase = re.sub(r"\s+", " ", found[0])
            yield Offence(text.path, text.at + below, phrase, instead, lines[below].strip()[:110])


def offences_in_name(name: Text) -> Iterator[Offence]:
    words = words_of(name.text)
    for forbidden in FORBIDDEN_NAMES:
        if any(words[at : at + len(forbidden)] == forbidden for at in range(len(words))):
            yield Offence(name.path, name.at, "_".join(forbidden), "see FORBIDDEN_NAMES", name.text)
    if words in {(word,) for word in FORBIDDEN_WHOLE_NAMES}:
        yield Offence(name.path, name.at, name.text, "see FORBIDDEN_WHOLE_NAMES", name.text)
    if name.text.strip("_") in {f"{word}()" for word in FORBIDDEN_FUNCTION_NAMES}:
        yield Offence(name.path, name.at, name.text, "a function is a verb", name.text)


def scan(group: str, paths: Iterable[Path]) -> list[Offence]:
    """Every offence of a group in these files that is not exempt."""
    found: dict[Offence, None] = {}
    for path in paths:
        for text in _texts(group, path):
            for offence in offences_in_name(text) if group == "names" else offences_in(text):
                if not is_exempt(offence):
                    found[offence] = None
    return list(found)


def _texts(group: str, path: Path) -> Iterator[Text]:
    if group == "docs":
        return documents(path)
    return python_texts(path, group) if path.suffix == ".py" else web_texts(path, group)


def is_exempt(offence: Offence) -> bool:
    name = offence.path.as_posix()
    return any(name.endswith(one.path) and one.part in _line(offence) for one in EXEMPT)


def _line(offence: Offence) -> str:
    return offence.path.read_text("utf-8").split("\n")[offence.line - 1]


def files(group: str) -> list[Path]:
    """The files that a group reads, in whatever layout src/mysticanvas and web/src have."""
    if group == "docs":
        found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*")]
        return sorted(one for one in found if one.suffix in (".md", ".yml") and one.is_file())
    python = (ROOT / "src" / "mysticanvas").rglob("*.py") if group != "web" else ()
    web = (ROOT / "web" / "src").rglob("*") if group in ("web", "names", "prose") else ()
    return sorted([*python, *(one for one in web if one.suffix in (".ts", ".svelte") and ".test." not in one.name)])


@pytest.mark.parametrize("group", SCANNED)
def test_no_text_uses_a_forbidden_phrase(group: str) -> None:
    assert [str(offence) for offence in scan(group, files(group))] == []


def test_every_exempt_line_is_still_there() -> None:
    paths = {path.as_posix(): path for group in GROUPS for path in files(group)}
    stale = [
        one
        for one in EXEMPT
        if not any(one.part in path.read_text("utf-8") for name, path in paths.items() if name.endswith(one.path))
    ]
    assert stale == []


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_reads_files(group: str) -> None:
    assert len(files(group)) > 20
    texts = (text for path in files(group) for text in _texts(group, path))
    assert len(list(islice(texts, 21))) == 21


PLANTED = {
    "docs": ("README.md", "# A title\n\n{}\n"),
    "cli": ("cli/planted.py", 'def command():\n    pass\n\nhelp = f"{{command}}: {}"\n'),
    "api": ("server/planted.py", 'def route():\n\n    """{}"""\n'),
    "messages": ("library/planted.py", 'def change():\n    pass\nraise ValueError("{}")\n'),
    "prose": ("library/planted.py", "x = 1\n\n# {}\n"),
    "web": ("Planted.svelte", "<script lang=\"ts\">\n</script>\n<p title={{f('a', 1)}}>{}</p>\n"),
}
PLANTED_IN_SVELTE = (
    "<p>1</p>\n\n<button class='deed' title=\"{}\">…</button>\n",
    "<p>1</p>\n\n<p>{{count ? '{}' : other}}</p>\n",
    "{{#if count > 1}}\n<b>{{count}}</b>{{/if}}\n<p class:on={{a < b}}>{}</p>\n",
    '<script lang="ts">\n\n  const label = `${{count}} images. {}`;\n</script>\n',
)


@pytest.mark.parametrize("sentence", [sentence for _, _, sentence in FORBIDDEN])
def test_every_phrase_is_found_where_it_is_planted(sentence: str, tmp_path: Path) -> None:
    for group, (name, shape) in PLANTED.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(shape.format(sentence), "utf-8")
        assert {offence.line for offence in scan(group, [path])} & {3, 4}, group
    for shape in PLANTED_IN_SVELTE:
        path = tmp_path / "Planted.svelte"
        path.write_text(shape.format(sentence), "utf-8")
        assert {offence.line for offence in scan("web", [path])} == {3}, shape


@pytest.mark.parametrize("name", ["_".join(words) for words in FORBIDDEN_NAMES] + list(FORBIDDEN_WHOLE_NAMES))
def test_every_name_is_found_where_it_is_planted(name: str, tmp_path: Path) -> None:
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
    python, script = tmp_path / "planted.py", tmp_path / "planted.ts"
    python.write_text(f"def {name}() -> None: ...\n", "utf-8")
    script.write_text(f"export const {camel} = 1;\n", "utf-8")
    assert {offence.excerpt for offence in scan("names", [python])} == {f"{name}()"}
    assert [offence.excerpt for offence in scan("names", [script])] == [camel]


@pytest.mark.parametrize("name", FORBIDDEN_FUNCTION_NAMES)
def test_a_function_that_is_no_verb_is_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text(f"def {name}() -> None: ...\n", "utf-8")
    assert scan("names", [path])


def test_a_phrase_is_found_across_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("It\ntakes\nin folders.", "utf-8")
    [offence] = scan("docs", [path])
    assert (offence.line, offence.phrase) == (2, "takes in")


def test_no_sentence_of_the_markup_is_missed() -> None:
    """A plain pattern finds sentences between two tags on one line; the lexer must have found each of them."""
    plain = re.compile(r">\s*([A-Z][\w’,-]*(?: [\w’,-]+)+[.?!…]?)\s*</")
    missed = []
    for path in (ROOT / "web" / "src").rglob("*.svelte"):
        source = path.read_text("utf-8")
        texts = "\n".join(text.text for text in web_texts(path, "web"))
        missed += [(path.name, found[1]) for found in plain.finditer(source) if found[1] not in texts]
    assert missed == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ts", "import { x } from './safe view/whole library';"),
        ("a.ts", "const route = '/api/deeds';"),
        ("a.ts", "const kind = 'deed';"),
        ("a.svelte", "<p class='so many'>Fine</p><style>.deed { color: red }</style>"),
        ("a.py", 'query = "SELECT deed FROM operations WHERE deed = 1"'),
        ("a.py", 'kind = "deed"'),
    ],
)
def test_what_only_code_reads_is_left_alone(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    assert [str(one) for group in ("web", "messages") for one in scan(group, [path])] == []


if __name__ == "__main__":
    for chosen in sys.argv[1:] or GROUPS:
        hits = scan(chosen, files(chosen))
        print(*hits, sep="\n")
        print(f"{chosen}: {len(hits)} offences:", dict(Counter(one.phrase.lower() for one in hits).most_common()))
