"""The documentation site builds, its generated pages are current, and everything that a document links to exists."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from tools import api_reference

from mysticanvas.http import problems

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GITHUB = "https://github.com/mysticanvas/mysticanvas/blob/main/"
RAW = "https://raw.githubusercontent.com/mysticanvas/mysticanvas/main/"
_FENCE = re.compile(r"^( *)(```+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def prose_of(path: Path) -> str:
    """The text without code, where brackets are no links."""
    return re.sub(
        r"`[^`\n]+`", lambda found: found[0] if "](" not in found[0] else "", _FENCE.sub("", path.read_text("utf-8"))
    )


def anchors_of(path: Path) -> set[str]:
    """The anchors of headings, as GitHub and the site name them, and those that are written out."""
    text = _FENCE.sub("", path.read_text("utf-8"))
    anchors: list[str] = re.findall(r'<a id="([^"]+)">', text)
    for heading in re.findall(r"^#+ +(.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        again = sum(one == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", one) is not None for one in anchors)
        anchors.append(f"{slug}-{again}" if again else slug)
    return set(anchors)


def faults_of(path: Path) -> Iterator[str]:
    for link in _LINK.findall(prose_of(path)):
        for prefix in (GITHUB, RAW):
            link = (
                f"{'../' * len(path.relative_to(ROOT).parent.parts)}{link.removeprefix(prefix)}"
                if link.startswith(prefix)
                else link
            )
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / unquote(name)).resolve() if name else path
        if not target.exists():
            yield f"{path.name}: {link} does not exist"
        elif anchor and anchor not in anchors_of(target):
            yield f"{path.name}: {link} has no such heading"


def test_every_link_anchor_and_picture_exists() -> None:
    assert len(documents()) > 40
    assert [fault for path in documents() for fault in faults_of(path)] == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title\n[a](page.md#a-title) [b](gone.md) ![c](gone.png)\n[d](#no-title) `[e](x)`\n")
    broken = ["gone.md does not exist", "gone.png does not exist", "#no-title has no such heading"]
    assert list(_faults_outside(page)) == [f"page.md: {fault}" for fault in broken]


def _faults_outside(page: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "ROOT", page.parent)
        yield from faults_of(page)


def test_every_type_of_an_error_is_described() -> None:
    page = DOCS / f"{problems.DOCS.removeprefix('/docs/')}.md"
    assert [kind.name for kind in problems.KINDS.values() if kind.name not in anchors_of(page)] == []


def test_the_generated_pages_are_current() -> None:
    """If not, run `python3 dev.py docs`."""
    assert api_reference.OPERATIONS_PAGE.read_text("utf-8") == api_reference.build_operations_page()
    assert api_reference.ERRORS_PAGE.read_text("utf-8") == api_reference.build_errors_page()


class _Loaded(HTMLParser):
    """What a browser loads by itself for a page, and the component for which the theme asks GitHub."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video"):
            self.addresses.append(named.get("src") or "")
        if tag == "link" and named.get("rel") != "canonical":
            self.addresses.append(named.get("href") or "")
        if named.get("data-md-component") == "source":
            self.addresses.append("https://api.github.com")


def test_the_site_builds_without_a_warning_and_loads_nothing_from_other_sites(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the documentation site is built with the extra “docs”")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(list(DOCS.rglob("*.md")))
    for page in pages:
        loaded = _Loaded(page.read_text("utf-8")).addresses
        assert [one for one in loaded if re.match(r"(https?:)?//", one)] == [], page.name
    script = (tmp_path / "site" / "scripting.html").read_text("utf-8")
    assert "from mysticanvas import Library" in re.sub(r"<[^>]+>", "", script)
    assert "--8&lt;--" not in script
