"""The requests and responses of the routes for tags."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from mysticanvas.domain.tag import TagId
from mysticanvas.edits.types import EXAMPLE_RESULT, EditResult
from mysticanvas.features.tags.assertion_queries import ImageAssertion, SourceCount
from mysticanvas.features.tags.dry_run import Outcome
from mysticanvas.features.tags.image_tag_queries import Work
from mysticanvas.features.tags.queries import CategoryCount, Tag
from mysticanvas.features.tags.suggestions import Suggestion
from mysticanvas.http.schemas import SelectionRequest

Name = Annotated[str, Field(max_length=400)]
Names = Annotated[list[Name], Field(max_length=1_000)]


class TagCreationRequest(BaseModel):
    name: Name
    category: Name | None = None


class TagRequest(BaseModel):
    """A tag by its name."""

    tag: Name


class TagsRequest(BaseModel):
    """Tags by their names."""

    tags: Names


class TagTargetRequest(BaseModel):
    """`to` is the new name, or the other tag."""

    tag: Name
    to: Name


class TagSplitRequest(BaseModel):
    tag: Name
    to: Annotated[list[Name], Field(max_length=1_000)]


class TagAliasRequest(BaseModel):
    """Makes `tag` an alias of `of`. `across` allows it between different categories."""

    tag: Name
    of: Name
    across: bool = False


class TagImplicationRequest(BaseModel):
    """Images with `tag` also show the tag `implies`."""

    tag: Name
    implies: Name


class TagCategoryRequest(BaseModel):
    """A category that is null removes the category of the tags."""

    tags: Names
    category: Name | None = None


class TagThresholdRequest(BaseModel):
    """The minimum confidence for assignments of a source, for one tag, or for all if `tag` is null. A value that is
    null removes the threshold."""

    source: Name
    value: float | None = Field(None, ge=0, le=1)
    tag: Name | None = None


class TagScriptRequest(BaseModel):
    """One command per line, as in the files that `GET /api/v1/tags/export` returns."""

    text: str = Field(max_length=1_000_000)
    dry_run: bool = False


class TagsOfSelectionRequest(SelectionRequest):
    """A selection from a snapshot."""

    snapshot: str = Field(max_length=64)


class PromptTagsRequest(BaseModel):
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedTag(Tag):
    """A tag with the names of all tags that it implies."""

    implies: list[str]


@dataclass(frozen=True, slots=True)
class TagCompletions:
    """`total` is the number of all tags."""

    tags: list[CompletedTag]
    total: int


@dataclass(frozen=True, slots=True)
class TagPage:
    """Tags by name. `next` is the `after` of the next page; null on the last page."""

    tags: list[Tag]
    next: str | None


@dataclass(frozen=True, slots=True)
class TagSlice:
    """`total` is the number of all tags that were selected."""

    total: int
    start: int
    tags: list[Tag]


@dataclass(frozen=True, slots=True)
class TagCategories:
    """The categories with their number of tags, and the minimum confidence of each source."""

    categories: list[CategoryCount]
    thresholds: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTag(Tag):
    """A tag of some images. `images` of them have it, and `implied_by` are those of their tags that imply it."""

    implied_by: list[str]


@dataclass(frozen=True, slots=True)
class SharedTags:
    """The tags of `images` selected images. `total` counts the tags; at most 200 are returned, those on most of the
    images."""

    images: int
    tags: list[SharedTag]
    total: int


@dataclass(frozen=True, slots=True)
class CollectionName:
    uuid: str
    name: str


@dataclass(frozen=True, slots=True)
class ImageTags:
    """The tags that an image shows, what each source assigned or rejected, and its manual collections."""

    tags: list[Tag]
    assignments: list[ImageAssertion]
    collections: list[CollectionName]


@dataclass(frozen=True, slots=True)
class TagDetail:
    """`thresholds` is the minimum confidence of each source, `assignments` the number of images by source, and `also`
    are all tags that it implies. `aliases`, `implies` and `implied_by` are its direct relations."""

    tag: Tag
    thresholds: dict[str, float]
    assignments: list[SourceCount]
    also: list[str]
    aliases: list[str]
    implies: list[str]
    implied_by: list[str]


@dataclass(frozen=True, slots=True)
class TagSuggestions:
    """Suggested tags, those for the most images first."""

    suggestions: list[Suggestion]


@dataclass(frozen=True, slots=True)
class TagUpdates:
    """Updates of images that continue in the background after relations changed."""

    work: list[Work]


@dataclass(frozen=True, slots=True)
class TagScriptResult:
    """The outcome of each line. `ok` is false if a line is invalid; nothing is changed then. `edit` is the edit that
    contains all lines; null after a dry run."""

    ok: bool
    lines: list[Outcome]
    edit: EditResult | None


@dataclass(frozen=True, slots=True)
class PromptTags:
    """`waiting`: phrases of new prompts have not become tags yet."""

    on: bool
    waiting: bool


@dataclass(frozen=True, slots=True)
class PromptTagsChange:
    """`images` are the images whose prompts are read now."""

    on: bool
    images: int


EXAMPLE_TAG = Tag(TagId(7), "fox", "animal", "known", "user", 42, alias_of=None)
EXAMPLE_COMPLETIONS = TagCompletions(
    [CompletedTag(TagId(7), "fox", "animal", "known", "user", 42, None, implies=["animal"])], total=120
)
EXAMPLE_PAGE = TagPage([EXAMPLE_TAG], next="fox")
EXAMPLE_SLICE = TagSlice(120, 0, [EXAMPLE_TAG])
EXAMPLE_CATEGORIES = TagCategories([CategoryCount("animal", 12), CategoryCount("", 108)], {"vision": 0.35})
EXAMPLE_SHARED = SharedTags(
    9, [SharedTag(TagId(8), "animal", None, "known", "user", 9, None, implied_by=["fox"])], total=1
)
EXAMPLE_IMAGE = ImageTags(
    tags=[EXAMPLE_TAG],
    assignments=[
        ImageAssertion("fox", "fox", "user", "", decision=True, confidence=None, created_at=1_787_400_000_000)
    ],
    collections=[CollectionName("7b1f0c52-3c1e-4d2a-9a5e-0f6b8d7c4e21", "Best")],
)
EXAMPLE_DETAIL = TagDetail(
    tag=EXAMPLE_TAG,
    thresholds={"vision": 0.4},
    assignments=[SourceCount("user", yes=40, no=1)],
    also=["animal"],
    aliases=["vixen"],
    implies=["animal"],
    implied_by=[],
)
EXAMPLE_SUGGESTIONS = TagSuggestions([Suggestion("foxes", "llm", 3, ["fox"])])
EXAMPLE_UPDATES = TagUpdates([Work(1, "fox", "animal", "add", 500, 2_000)])
EXAMPLE_SCRIPT = TagScriptResult(ok=True, lines=[Outcome(1, "merge foxes -> fox", 3)], edit=EXAMPLE_RESULT)
EXAMPLE_EXPORT = "tag fox : animal\nalias vixen -> fox\nimply fox -> animal\n"
