"""Tasks `ListModels`, `ReadModel` and `HashModel`: list, describe and hash models. Nothing is unpickled."""

import os

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.features.models.fs_scan import SAFETENSORS_ENDINGS, hash_model, list_models
from mysticanvas.features.models.types import HashModel, ListModels, ModelHashed, ModelListing, ModelRead, ReadModel
from mysticanvas.formats.model_header import ModelFacts, merge_facts, read_header_facts, read_sidecar_facts
from mysticanvas.formats.safetensors import find_header_end, read_header
from mysticanvas.fs.safe_open import FileSource, open_beneath
from mysticanvas.fs.sidecars import read_sidecar


def list_folder(task: ListModels) -> ModelListing:
    return list_models(task.root, task.path_bytes)


def read_model(task: ReadModel) -> ModelRead:
    """Describe a model. Raises `UnreadableFileError` when it cannot be opened; a damaged header is a `problem`."""
    facts, problem = ModelFacts(), None
    with open_beneath(task.root, task.path_bytes) as source:
        stat = source.stat()
        if _is_safetensors(task.path_bytes):
            try:
                facts = read_header_facts(read_header(source))
            except UnreadableFileError as error:
                problem = str(error)
    facts = merge_facts([facts, *_read_sidecars(task)])
    return ModelRead(
        stat=stat,
        kind=facts.kind.value if facts.kind else None,
        family=facts.family,
        trigger_words=list(facts.trigger_words),
        hashes=list(facts.hashes),
        about=facts.about,
        problem=problem,
    )


def _read_sidecars(task: ReadModel) -> list[ModelFacts]:
    found = []
    for path in task.sidecars:
        try:
            found.append(read_sidecar_facts(read_sidecar(task.root, path).text))
        except UnreadableFileError:
            # Sidecars of models are optional.
            continue
    return found


def compute_hashes(task: HashModel) -> ModelHashed:
    """Hash a model. Raises `UnreadableFileError`, also when the file changes meanwhile."""
    with open_beneath(task.root, task.path_bytes) as source:
        before = source.stat()
        hashes = hash_model(source, _find_tensors_start(task.path_bytes, source))
        if source.stat() != before:
            raise UnreadableFileError("The file is still being written.")
    return ModelHashed(before, hashes)


def _find_tensors_start(path_bytes: bytes, source: FileSource) -> int | None:
    if not _is_safetensors(path_bytes):
        return None
    try:
        return find_header_end(source)
    except UnreadableFileError:
        # With a damaged header there are no tensors to hash, but hashes of the whole file still identify it.
        return None


def _is_safetensors(path_bytes: bytes) -> bool:
    return os.path.splitext(path_bytes)[1].lower() in SAFETENSORS_ENDINGS


RUN = {ListModels: list_folder, ReadModel: read_model, HashModel: compute_hashes}
