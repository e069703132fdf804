"""`ListModels`, `ReadModel`, `HashModel`: headers and bytes of models. Nothing is unpickled."""

import os

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.features.models.fs_scan import SAFETENSORS_ENDINGS, hash_model, list_models
from mysticanvas.features.models.task_types import (
    HashModel,
    ListModels,
    ModelHashed,
    ModelListing,
    ModelRead,
    ReadModel,
)
from mysticanvas.formats.model_header import ModelFacts, facts_of_header, facts_of_sidecar, together
from mysticanvas.formats.safetensors import header_end, read_header
from mysticanvas.fs.safe_open import FileSource, open_beneath
from mysticanvas.fs.sidecars import read_sidecar


def list_folder(task: ListModels) -> ModelListing:
    return list_models(task.root, task.path_bytes)


def read(task: ReadModel) -> ModelRead:
    """Raises `UnreadableFileError` when the file cannot be opened; a bad header is a `problem`."""
    facts, problem = ModelFacts(), None
    with open_beneath(task.root, task.path_bytes) as source:
        stat = source.stat()
        if _is_safetensors(task.path_bytes):
            try:
                facts = facts_of_header(read_header(source))
            except UnreadableFileError as error:
                problem = str(error)
    facts = together([facts, *_beside(task)])
    return ModelRead(
        stat=stat,
        kind=facts.kind.value if facts.kind else None,
        family=facts.family,
        trigger_words=list(facts.trigger_words),
        hashes=list(facts.hashes),
        about=facts.about,
        problem=problem,
    )


def _beside(task: ReadModel) -> list[ModelFacts]:
    found = []
    for path in task.sidecars:
        try:
            found.append(facts_of_sidecar(read_sidecar(task.root, path).text))
        except UnreadableFileError:
            # What lies beside a model is a help, never a condition.
            continue
    return found


def compute_hashes(task: HashModel) -> ModelHashed:
    """Raises `UnreadableFileError`, also when the file changed meanwhile."""
    with open_beneath(task.root, task.path_bytes) as source:
        before = source.stat()
        hashes = hash_model(source, _tensors_from(task.path_bytes, source))
        if source.stat() != before:
            raise UnreadableFileError("The file is still being written.")
    return ModelHashed(before, hashes)


def _tensors_from(path_bytes: bytes, source: FileSource) -> int | None:
    if not _is_safetensors(path_bytes):
        return None
    try:
        return header_end(source)
    except UnreadableFileError:
        # A damaged header has no tensors after it; the hashes of the whole file still say which it is.
        return None


def _is_safetensors(path_bytes: bytes) -> bool:
    return os.path.splitext(path_bytes)[1].lower() in SAFETENSORS_ENDINGS


RUN = {ListModels: list_folder, ReadModel: read, HashModel: compute_hashes}
