"""Edits as sentences, like those of the history in the gallery (`web/src/features/history/labels.ts`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.plurals import format_count

NAMES_SHOWN = 4
_STAR = "★"


@dataclass(frozen=True, slots=True)
class _Edit:
    """`values` are the fields of the edit, `images` is “9 images”, `names` those of collections and templates."""

    values: Mapping[str, Any]
    images: str
    names: Mapping[str, str]

    def quote(self, field: str) -> str:
        value = self.values.get(field)
        given = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one]
        shown = ", ".join(f"“{one}”" for one in given[:NAMES_SHOWN])
        return f"{shown} and {len(given) - NAMES_SHOWN} more" if len(given) > NAMES_SHOWN else shown

    def name(self, field: str) -> str:
        found = self.names.get(str(self.values.get(field)))
        return f"{field} “{found}”" if found else f"a {field}"

    def has(self, field: str) -> bool:
        return bool(self.values.get(field))


def _describe_tags(edit: _Edit) -> str:
    parts = [
        f"{verb} {edit.quote(field)}"
        for verb, field in (("Tagged with", "add"), ("Removed", "remove"), ("Rejected", "reject"))
        if edit.quote(field)
    ]
    return f"{'; '.join(parts)} on {edit.images}"


def _describe_favorite(edit: _Edit) -> str:
    return f"Added {edit.images} to favorites" if edit.has("value") else f"Removed {edit.images} from favorites"


def _describe_rating(edit: _Edit) -> str:
    stars = _STAR * int(edit.values.get("value") or 0)
    return f"Rated {edit.images} {stars}" if stars else f"Cleared the rating of {edit.images}"


_SENTENCES: dict[str, Callable[[_Edit], str]] = {
    "favorite": _describe_favorite,
    "rating": _describe_rating,
    "notes": lambda edit: f"{'Edited' if edit.has('value') else 'Cleared'} the note of {edit.images}",
    "trash": lambda edit: f"Moved {edit.images} to Trash",
    "restore": lambda edit: f"Restored {edit.images} from Trash",
    "keep_one": lambda edit: f"Merged duplicates of an image: {edit.images} changed",
    "folder.exclude": lambda edit: (
        f"Changed the exclude patterns of {edit.quote('folder')}: {edit.images} hidden or shown"
    ),
    "tag": _describe_tags,
    "tag.create": lambda edit: f"Created the tag {edit.quote('name')}",
    "tag.rename": lambda edit: f"Renamed the tag {edit.quote('tag')} to {edit.quote('to')}",
    "tag.category": lambda edit: f"Set the category of {edit.quote('tags')}",
    "tag.threshold": lambda edit: f"Set the confidence threshold of {edit.values.get('source')}",
    "tag.accept": lambda edit: f"Accepted the suggested tags {edit.quote('tags')}",
    "tag.refuse": lambda edit: f"Rejected the suggested tags {edit.quote('tags')}",
    "tag.propose": lambda edit: f"Restored the suggested tags {edit.quote('tags')}",
    "tag.alias": lambda edit: f"Made {edit.quote('tag')} an alias of {edit.quote('of')}",
    "tag.unalias": lambda edit: f"Made the alias {edit.quote('tag')} a separate tag",
    "tag.imply": lambda edit: f"Added an implication: {edit.quote('tag')} → {edit.quote('implies')}",
    "tag.unimply": lambda edit: f"Removed an implication: {edit.quote('tag')} → {edit.quote('implies')}",
    "tag.merge": lambda edit: f"Merged the tag {edit.quote('tag')} into {edit.quote('to')} on {edit.images}",
    "tag.split": lambda edit: f"Split the tag {edit.quote('tag')} into {edit.quote('to')} on {edit.images}",
    "tag.retag": lambda edit: f"Replaced {edit.quote('tag')} with {edit.quote('to')} on {edit.images}",
    "tag.delete": lambda edit: f"Deleted the tag {edit.quote('tag')} from {edit.images}",
    "collection.create": lambda edit: (
        f"Created the {'smart collection' if edit.has('query') else 'collection'} {edit.quote('name')}"
    ),
    "collection.edit": lambda edit: f"Changed {edit.name('collection')}",
    "collection.delete": lambda edit: f"Deleted {edit.name('collection')}",
    "collection.freeze": lambda edit: f"Converted {edit.name('collection')} to manual",
    "collect": lambda edit: f"Added {edit.images} to {edit.name('collection')}",
    "uncollect": lambda edit: f"Removed {edit.images} from {edit.name('collection')}",
    "reorder": lambda edit: f"Moved {edit.images} within {edit.name('collection')}",
    "merge_models": lambda edit: "Merged two models",
    "parent": lambda edit: f"{'Set' if edit.has('parent') else 'Removed'} the source of an image",
    "template.create": lambda edit: f"Saved the template {edit.quote('name')}",
    "template.edit": lambda edit: f"Changed {edit.name('template')}",
    "template.delete": lambda edit: f"Deleted {edit.name('template')}",
    "wildcard": lambda edit: (
        f"{'Deleted' if edit.values.get('content') is None else 'Changed'} the wildcard {edit.quote('name')}"
    ),
}
# Edits of several kinds under one number.
_BULK_EDIT, _STYLES = "tag.script", "template.import"


def describe_edit(edit: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """A sentence without its full stop, for an edit as `/api/v1/edits` describes it. `names` are those of collections
    and templates by UUID."""
    kind, steps = edit["kind"], edit["steps_total"]
    if kind == _STYLES:
        return f"Imported {format_count(steps, 'style')} as templates"
    step, values = edit["steps"][0] if edit["steps"] else (kind, {})
    describe = _SENTENCES.get(step if kind == _BULK_EDIT else kind)
    images = format_count(edit["changed"], "image")
    sentence = describe(_Edit(values, images, names)) if describe else kind.replace(".", " ").replace("_", " ")
    # A change of exclude patterns always has two steps.
    more = f" and {steps - 1:,} more" if steps > 1 and kind not in ("folder.exclude", "keep_one") else ""
    return ("Bulk edit: " if kind == _BULK_EDIT else "") + sentence + more
