"""The requests and responses of the routes for auto-tagging."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from mysticanvas.domain.tag import MachineTag
from mysticanvas.features.autotag.prompting import PROMPT_VERSION
from mysticanvas.features.autotag.service import AutotagRun
from mysticanvas.features.autotag.types import AutotagSettings, Endpoint, LookAt
from mysticanvas.http.schemas import MAX_QUERY

MAX_KEY = 1_000

# -- requests ---------------------------------------------------------------------------------


class EndpointRequest(BaseModel):
    """A model server. If `key` is absent or null, the stored API key is kept if it is for this server. An empty string
    deletes it."""

    base_url: str = Field(max_length=1_000)
    model: str = Field(max_length=400)
    allow_remote: bool = False
    look_at: LookAt = LookAt.PROMPT
    key: str | None = Field(None, max_length=MAX_KEY)


class AutotagSettingsRequest(EndpointRequest):
    """With `after_import`, new images are tagged after import."""

    after_import: bool = False


class AutotagTrialRequest(EndpointRequest):
    """A test request. It sends the image with this `uuid`. If `uuid` is null, it sends `prompt`, or an example prompt
    if both are null."""

    prompt: str | None = Field(None, max_length=4_000)
    uuid: str | None = Field(None, max_length=36)


class AutotagRunRequest(BaseModel):
    """Either `query` or `uuids`. Images already tagged by the model are included only with `again`. A dry run sends
    nothing."""

    query: str | None = Field(None, max_length=MAX_QUERY)
    uuids: list[Annotated[str, Field(max_length=36)]] | None = Field(None, max_length=10_000)
    again: bool = False
    dry_run: bool = False


class AutotagForgetRequest(BaseModel):
    """The name of a run."""

    run: str = Field(min_length=1, max_length=400)


# -- responses --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AutotagState:
    """`settings` is null while auto-tagging is off. `has_key`: an API key for the server is stored. `prompt_version` is
    the version of the request that is sent to the model."""

    settings: AutotagSettings | None
    has_key: bool
    prompt_version: int


@dataclass(frozen=True, slots=True)
class AutotagTrial:
    """`prompt` is the text that was sent, null if only the image was sent. `tags` is what the model suggested in
    `took_ms` milliseconds."""

    prompt: str | None
    took_ms: int
    tags: list[MachineTag]


@dataclass(frozen=True, slots=True)
class RunForgotten:
    """The number of images that had tags of the run."""

    changed: int


# -- examples ---------------------------------------------------------------------------------

EXAMPLE_STATE = AutotagState(AutotagSettings(Endpoint("http://127.0.0.1:8080", "qwen3-4b")), False, PROMPT_VERSION)
EXAMPLE_OFF = AutotagState(None, False, PROMPT_VERSION)
EXAMPLE_TRIAL = AutotagTrial("a lighthouse in a storm", 840, [MachineTag("lighthouse", "subject", 0.9)])
EXAMPLE_RUN = AutotagRun(
    run=f"qwen3-4b/{PROMPT_VERSION}/9f3c01ab", images=310, requests=280, already_tagged=0, without_prompt=4
)
EXAMPLE_DRY_RUN = AutotagRun(run=None, images=310, requests=280, already_tagged=0, without_prompt=4)
