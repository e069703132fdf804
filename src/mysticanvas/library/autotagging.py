"""Tags by a language model: off until the person names an endpoint. One question a distinct prompt and run.

The endpoint is a preference of the library; its key is not: it lies in a file beside the library that
only the person may read, and never in the database, a backup or a log.
"""

import os
import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.job import JobKind, JobPriority
from mysticanvas.domain.machine import Endpoint
from mysticanvas.endpoints import addressing
from mysticanvas.endpoints.tagging import PROMPT_VERSION
from mysticanvas.store import events, jobs, machine_tags, preferences
from mysticanvas.store.database import ReadTx, WriteTx
from mysticanvas.store.jobs import NewJob

ENDPOINT = "autotag.endpoint"
KEY_FILE = "endpoint.key"


def endpoint(tx: ReadTx) -> Endpoint | None:
    """None while auto-tagging is off."""
    kept: dict[str, Any] | None = preferences.get(tx, ENDPOINT, None)
    return None if kept is None else Endpoint(**kept)


def set_endpoint(tx: WriteTx, wanted: Endpoint | None) -> None:
    """Raises `InvalidInputError` when it may not be asked as it is written."""
    if wanted is None:
        preferences.put(tx, ENDPOINT, None)
        return
    if not wanted.model.strip():
        raise InvalidInputError("Name the model that the server is to use.")
    addressing.locate(wanted.base_url, allow_remote=wanted.allow_remote)
    preferences.put(tx, ENDPOINT, asdict(replace(wanted, model=wanted.model.strip())))


def start(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> tuple[str, int]:
    """Ask about these images: (the run, how many jobs). Images with the same prompt share a job. The event
    of the run says which model was asked, and how.

    Raises `InvalidInputError` while no endpoint is set.
    """
    asked = endpoint(tx)
    if asked is None:
        raise InvalidInputError("Set the address of a model server first.")
    run = str(uuid.uuid4())
    prompts = machine_tags.prompts_of(tx, images)
    server = asdict(asked)
    new = [
        NewJob(
            JobKind.AUTOTAG,
            {"prompt": prompt, "images": of, "run": run, "endpoint": server},
            f"{run}:{prompt}",
            JobPriority.BEHIND,
        )
        for prompt, of in prompts.items()
    ]
    jobs.enqueue_all(tx, new, now_ms=now_ms)
    said = {"model": asked.model, "prompt_version": PROMPT_VERSION, "prompts": len(new)}
    events.append(tx, level="info", kind="autotag.run", subject=run, data=said, now_ms=now_ms)
    return run, len(new)


def keep_key(library: Path, key: str | None) -> None:
    """In a file of its own that only its owner may read; None forgets it."""
    file = library / KEY_FILE
    if not key:
        file.unlink(missing_ok=True)
        return
    temporary = file.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(key)
    os.replace(temporary, file)


def read_key(library: Path) -> str | None:
    """None when the endpoint wants none."""
    try:
        return (library / KEY_FILE).read_text("utf-8").strip() or None
    except OSError:
        return None
