"""JSON schemas of request bodies that several routes share."""

from typing import Annotated

from pydantic import BaseModel, Field

MAX_QUERY = 2_000
Index = Annotated[int, Field(ge=0, le=1 << 40)]
# The range of integers in SQLite: larger numbers are refused before they reach the database.
Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]

# Longer than any path of an operating system. Like every text with a limit it has no lone surrogates.
PathText = Annotated[str, Field(min_length=1, max_length=4_096)]


class QueryRequest(BaseModel):
    q: str = Field("", max_length=MAX_QUERY)


class SelectionRequest(BaseModel):
    """Images of a snapshot: those at the indexes in `ranges`, half-open [from, to), without the indexes in `except`."""

    ranges: list[tuple[Index, Index]] = Field(default_factory=list, max_length=10_000)
    excluded: list[Index] = Field(default_factory=list, alias="except", max_length=100_000)


class NarrowRequest(SelectionRequest):
    """The selected images that also match the search `q`."""

    q: str = Field("", max_length=MAX_QUERY)
