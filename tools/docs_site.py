"""Hooks of the documentation site: pages for the documents in the root of the repository, and links between them.

MkDocs calls `on_files` and `on_page_markdown`.
"""

import re
from pathlib import Path
from posixpath import normpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
SOURCE = "https://github.com/mysticanvas/mysticanvas/blob/main/"
# Documents that GitHub shows in the root of the repository, and their pages.
PAGES = {
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
}
DECISIONS = "adr/index.md"
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: Any) -> Files:
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    files.append(File.generated(config, DECISIONS, content=list_decisions()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    source = {page: source for source, page in PAGES.items()}.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    depth = page.file.src_uri.count("/")
    return _LINK.sub(lambda found: _resolve(found[1], source, depth) + (found[2] or ""), markdown)


def _resolve(target: str, source: str, depth: int) -> str:
    """The target of a link in the file `source` of the repository, as a page in a folder of that depth links to it."""
    path = normpath(f"{source.rpartition('/')[0]}/{target}".lstrip("/"))
    if path in ("docs/adr", "docs/adr/index.md"):
        page = DECISIONS
    elif path in PAGES:
        page = PAGES[path]
    elif path.startswith("docs/"):
        page = path.removeprefix("docs/")
    else:
        return SOURCE + path
    return "../" * depth + page


def list_decisions() -> str:
    lines = ["# Decisions", "", "Why MystiCanvas is built the way it is.", ""]
    for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        title = path.read_text("utf-8").split("\n", 1)[0].lstrip("# ")
        lines.append(f"- [{title}]({path.name})")
    return "\n".join(lines) + "\n"
