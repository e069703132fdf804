"""The tasks about model files and their answers. Plain values only: nothing is unpickled."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task

JOB_KIND = "models"


@dataclass(frozen=True, slots=True)
class ModelListing:
    """`models` are model files, sorted by name. `beside` are texts and images that may belong to one. `is_one_model`:
    the folder is a single model in many files and is excluded."""

    models: list[FileStat]
    folders: list[bytes]
    beside: list[bytes]
    is_one_model: bool


@dataclass(frozen=True, slots=True)
class ListModels(Task):
    """List the models in one folder, without subfolders. `path_bytes` is b"" for the root."""

    answer_type: ClassVar[type] = ModelListing
    root: bytes
    path_bytes: bytes


@dataclass(frozen=True, slots=True)
class ModelRead:
    """`kind` and `family` are None when neither the header nor a sidecar contains them. `hashes` are declared in texts,
    not computed. `problem` is the reason why the header could not be read; the model is listed anyway."""

    stat: FileStat
    kind: str | None
    family: str | None
    trigger_words: list[str]
    hashes: list[tuple[str, str]]
    about: dict[str, Any]
    problem: str | None


@dataclass(frozen=True, slots=True)
class ReadModel(Task):
    """Read the header of one model file. `sidecars` are paths of texts that may describe it."""

    answer_type: ClassVar[type] = ModelRead
    root: bytes
    path_bytes: bytes
    sidecars: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ModelHashed:
    """`stat` was the same before and after hashing. `hashes` are (kind, lower-case hex), as in `model_hashes`."""

    stat: FileStat
    hashes: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class HashModel(Task):
    """Compute all hashes of one model file in one pass."""

    answer_type: ClassVar[type] = ModelHashed
    root: bytes
    path_bytes: bytes
