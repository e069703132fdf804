"""JSON shapes: what comes in is checked here, what goes out is encoded once."""

from typing import Annotated, Any

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field

from mysticanvas.features.verify.types import Finding

MAX_QUERY = 2_000
Index = Annotated[int, Field(ge=0, le=1 << 40)]
# What SQLite can hold: a larger number is refused before anything asks the database.
Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]

# Longer than any path of a system. Like every text with a limit it holds no lone surrogates.
PathText = Annotated[str, Field(min_length=1, max_length=4_096)]


class QueryIn(BaseModel):
    q: str = Field("", max_length=MAX_QUERY)


class PickedIn(BaseModel):
    """Images of a snapshot: `ranges` [from, to) less the single indexes in `except`."""

    ranges: list[tuple[Index, Index]] = Field(default_factory=list, max_length=10_000)
    left_out: list[Index] = Field(default_factory=list, alias="except", max_length=100_000)


class NarrowIn(PickedIn):
    """Of these, those that `q` finds."""

    q: str = Field("", max_length=MAX_QUERY)


class CodeIn(BaseModel):
    code: str = Field(max_length=200)


class WantedIn(BaseModel):
    snapshot: str = Field(max_length=64)
    start: Index
    count: int = Field(ge=0, le=2_048)


class ImportIn(BaseModel):
    paths: list[PathText] = Field(min_length=1, max_length=100)
    dry_run: bool = False
    watch: bool = True


class ScanIn(BaseModel):
    """`accept`: what is not found is gone, says the person."""

    accept: bool = False
    dry_run: bool = False


class ReparseIn(BaseModel):
    """No query: every image, those in the Trash too. `all`: also what today's parsers have read."""

    q: str = Field("", max_length=MAX_QUERY)
    everything: bool = Field(False, alias="all")


class JobsIn(BaseModel):
    """None stands for all. `reason` is one that `GET /api/jobs` lists."""

    kind: str | None = Field(None, max_length=40)
    ids: list[Index] | None = Field(None, max_length=10_000)
    reason: str | None = Field(None, max_length=4_000)


class VerifyIn(BaseModel):
    """None stands for no limit."""

    bytes_per_s: int | None = Field(None, ge=1_024, le=1 << 50)
    bytes_per_day: int | None = Field(None, ge=1 << 20, le=1 << 50)


class FindingsIn(BaseModel):
    """None stands for all. `ids` are those of `GET /api/verify/findings`."""

    ids: list[Index] | None = Field(None, max_length=10_000)
    finding: Finding | None = None


class TaggerIn(BaseModel):
    """No folder: no tagger."""

    folder: PathText | None = None
    least_general: float = Field(0.35, ge=0, le=1)
    least_character: float = Field(0.85, ge=0, le=1)
    after_import: bool = True


class VisionIn(QueryIn):
    again: bool = False


class LookingIn(BaseModel):
    is_on: bool | None = None
    clip_folder: str | None = Field(None, max_length=4_000)
    least_explicit: float | None = Field(None, ge=0, le=1)


class ScoresIn(BaseModel):
    """Pictures by the names of their thumbnails."""

    thumbs: list[Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")]] = Field(max_length=500)


def reply(value: Any, status: int = 200) -> Response:
    """JSON in bytes: quicker than a model for each row."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
