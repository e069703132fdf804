"""The requests and responses of the routes for templates."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from mysticanvas.features.templates.queries import Template, Wildcard
from mysticanvas.http.schemas import Int64

Text = Annotated[str, Field(max_length=50_000)]
Setting = Text | Int64 | Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=400)]


class TemplateCreationRequest(BaseModel):
    """Set either `image`, the UUID of an image whose generation data is saved as a template, or `content`, the text of
    the template."""

    name: Name
    content: Text | None = None
    negative: Text | None = None
    params: dict[Name, Setting] = {}
    category: Name | None = None
    preview: Annotated[str, Field(max_length=36)] | None = None
    image: Annotated[str, Field(max_length=36)] | None = None


class TemplateEditRequest(BaseModel):
    """Omitted fields are not changed."""

    name: Name = ""
    content: Text = ""
    negative: Text | None = None
    params: dict[Name, Setting] = {}
    category: Name | None = None
    preview: Annotated[str, Field(max_length=36)] | None = None


class ExpandRequest(BaseModel):
    """`form` is a1111, prompt or json. If `seed` is null, a random seed is used; the response contains it."""

    seed: int | None = Field(None, ge=0, le=2**64 - 1)
    values: dict[Name, Text] = {}
    form: str = Field("a1111", max_length=20)
    count: int = Field(1, ge=1, le=100)


class TemplateTrialRequest(ExpandRequest):
    """A template to try without saving it."""

    content: Text
    negative: Text | None = None
    params: dict[Name, Setting] = {}


class StylesRequest(BaseModel):
    text: str = Field(max_length=1_000_000)


class WildcardRequest(BaseModel):
    """One choice per line; null deletes the wildcard."""

    name: Name
    content: Annotated[str, Field(max_length=500_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDetail(Template):
    """A template. `preview` is the UUID of an image, and `thumb` the name of its thumbnails. `params` are settings by
    name, and `variables` and `wildcards` the names that occur in the texts."""

    variables: list[str]
    wildcards: list[str]
    thumb: str | None


@dataclass(frozen=True, slots=True)
class TemplateList:
    """All templates, by category and name, and all wildcards with one choice per line."""

    templates: list[TemplateDetail]
    wildcards: list[Wildcard]


@dataclass(frozen=True, slots=True)
class Expansion:
    """The prompts of the seed and of the seeds after it: texts, or objects if the form is json."""

    seed: int
    expanded: list[str | dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateTrial(Expansion):
    """An expansion, and the names that occur in the texts."""

    variables: list[str]
    wildcards: list[str]


def get_editable_fields(one: Template) -> list[object]:
    """What a user can change of a template, for its ETag."""
    return [one.uuid, one.name, one.content, one.negative, one.params, one.category, one.preview]


EXAMPLE = TemplateDetail(
    uuid="7b1f0c52-3c1e-4d2a-9a5e-0f6b8d7c4e21",
    name="Foxes",
    content="a {red|blue} {subject}, __light__",
    negative="blurry",
    params={"steps": 20},
    category="animals",
    preview=None,
    uses=3,
    created_at=1_787_400_000_000,
    variables=["subject"],
    wildcards=["light"],
    thumb=None,
)
EXAMPLE_LIST = TemplateList([EXAMPLE], [Wildcard("light", "dawn\ndusk")])
EXAMPLE_EXPANSION = Expansion(1, ["a red fox, dawn"])
EXAMPLE_TRIAL = TemplateTrial(1, ["a red fox, dawn"], variables=["subject"], wildcards=["light"])
EXAMPLE_STYLES = "name,prompt,negative_prompt\r\nFoxes,a red fox,blurry\r\n"
