"""The description on the package index: README.md with absolute links, because the index has no other file.

A hatch metadata hook: hatch calls it whenever it needs the metadata of the package.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# The targets of Markdown links and pictures, of Markdown references, and of HTML elements, unless they are absolute or
# a heading of the same page.
_RELATIVE = re.compile(
    r"""(?P<before>\]\(|^\[[^\]\n]+\]:[ ]*|\b(?:src|href|srcset)=["'])(?![a-z]+:|\#|/)(?P<target>[^)\s"']+)""",
    re.MULTILINE,
)
_PICTURES = (".avif", ".gif", ".jpg", ".png", ".svg", ".webp")


def make_links_absolute(text: str, repository: str, tag: str) -> str:
    """Link to the files of the release, because those on the main branch change."""

    def absolute(link: re.Match[str]) -> str:
        # GitHub answers a request for `raw` with the file itself, and for `blob` with a page about it.
        kind = "raw" if link["target"].endswith(_PICTURES) else "blob"
        return f"{link['before']}{repository}/{kind}/{tag}/{link['target']}"

    return _RELATIVE.sub(absolute, text)


class PackageReadme(MetadataHookInterface):  # type: ignore[misc,unused-ignore]
    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text("utf-8")
        # The version is dynamic, and hatch determines it only after the hooks.
        source = (Path(self.root) / "src" / "mysticanvas" / "__init__.py").read_text("utf-8")
        [version] = re.findall(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
        absolute = make_links_absolute(text, metadata["urls"]["Source"], f"v{version}")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute}
