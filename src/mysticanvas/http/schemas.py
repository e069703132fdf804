"""JSON shapes: what comes in is checked here, what goes out is encoded once."""

from typing import Annotated, Any

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field

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


def reply(value: Any, status: int = 200) -> Response:
    """JSON in bytes: quicker than a model for each row."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
