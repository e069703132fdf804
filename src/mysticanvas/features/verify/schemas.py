"""The requests and responses of the routes for verification."""

from dataclasses import dataclass

from pydantic import BaseModel, Field

from mysticanvas.features.verify.queries import VerifyFinding
from mysticanvas.features.verify.service import VerifyProgress, VerifyStatus
from mysticanvas.features.verify.types import Finding
from mysticanvas.http.schemas import Index


class VerifyRequest(BaseModel):
    """The maximum number of bytes to read per second and per day. Null means no limit."""

    bytes_per_s: int | None = Field(None, ge=1_024, le=1 << 50)
    bytes_per_day: int | None = Field(None, ge=1 << 20, le=1 << 50)


class FindingsRequest(BaseModel):
    """Filters findings. A field that is null does not filter. `ids` are from `GET /api/v1/verify/findings`."""

    ids: list[Index] | None = Field(None, max_length=10_000)
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Findings by file. `next` is the `after` of the next page; null on the last page."""

    findings: list[VerifyFinding]
    next: int | None


@dataclass(frozen=True, slots=True)
class FindingsChanged:
    """The number of findings."""

    changed: int


EXAMPLE_STATUS = VerifyStatus(
    state=VerifyProgress(
        on=True,
        checked=1_200,
        files=12_480,
        bytes=2_400_000_000,
        of_bytes=25_000_000_000,
        bytes_per_s=None,
        bytes_per_day=10_000_000_000,
        started_at=1_787_400_000_000,
        updated_at=1_787_400_060_000,
        finished_at=None,
    ),
    counts={"missing": 0, "changed": 1, "undecodable": 0},
    rate_bytes_per_s=40_000_000.0,
    eta_s=565.0,
)
EXAMPLE_FINDINGS = FindingPage(
    [
        VerifyFinding(
            id=81,
            finding="changed",
            detail="The content of the file has changed.",
            folder="/home/you/ComfyUI/output",
            path="2026/fox.png",
            uuid="0b7e7c1c-6f9f-4f1e-8a43-6b1a2e5c9d01",
            found_at=1_787_400_030_000,
        )
    ],
    next=None,
)
