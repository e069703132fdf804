"""What is asked of workers about model files. As in `task.py`: plain values, nothing is unpickled."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task

JOB_KIND = "models"


@dataclass(frozen=True, slots=True)
class ModelListing:
    """`models` are files that hold a model, by name; `beside` are texts and pictures that may belong to
    one. `is_one_model`: the folder itself is one model in many files, and is left out."""

    models: list[FileStat]
    folders: list[bytes]
    beside: list[bytes]
    is_one_model: bool


@dataclass(frozen=True, slots=True)
class ListModels(Task):
    """List one folder (not its sub-folders) of models. `path_bytes` is b"" for the folder named."""

    answer_type: ClassVar[type] = ModelListing
    root: bytes
    path_bytes: bytes


@dataclass(frozen=True, slots=True)
class ModelRead:
    """`kind` and `family` are None where neither header nor sidecar say. `hashes` are claims of a text.
    `problem` says why the header could not be read; the model is listed all the same."""

    stat: FileStat
    kind: str | None
    family: str | None
    trigger_words: list[str]
    hashes: list[tuple[str, str]]
    about: dict[str, Any]
    problem: str | None


@dataclass(frozen=True, slots=True)
class ReadModel(Task):
    """Read the header of one model file; `sidecars` are texts beside it to try."""

    answer_type: ClassVar[type] = ModelRead
    root: bytes
    path_bytes: bytes
    sidecars: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ModelHashed:
    """`stat` was equal before and after. `hashes` are (kind, lower-case hex) as in `model_hashes`."""

    stat: FileStat
    hashes: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class HashModel(Task):
    """Every hash in use of one model file, in one reading."""

    answer_type: ClassVar[type] = ModelHashed
    root: bytes
    path_bytes: bytes
