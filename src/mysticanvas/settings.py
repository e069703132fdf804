"""Every knob, with its unit, default and meaning. `MYSTICANVAS_<NAME>` in the environment sets one."""

import os
from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import LibraryError

MIB = 1024 * 1024
_NO_HOME = "There is no home folder to keep the library in. Name a folder with --library, or set MYSTICANVAS_LIBRARY."


def default_library() -> Path:
    """Raises `LibraryError` for an account without a home folder, as some services and containers have."""
    try:
        folder = user_data_path("mysticanvas", appauthor=False)
    except RuntimeError as error:
        raise LibraryError(_NO_HOME) from error
    # Older versions of platformdirs leave the `~` in it.
    if not folder.is_absolute():
        raise LibraryError(_NO_HOME)
    return folder


def default_workers() -> int:
    """Every core: the system prefers the gallery to them. Past eight, the disk is the limit."""
    return max(1, min(8, os.cpu_count() or 1))


class Settings(BaseSettings):
    """Read-only once made. Arguments win over the environment, the environment over defaults."""

    model_config = SettingsConfigDict(env_prefix="MYSTICANVAS_", extra="ignore", frozen=True)

    library: Path = Field(
        default_factory=default_library,
        description="Folder of the library: database, thumbnails, backups. Your images stay where they are.",
    )
    port: int = Field(8642, ge=0, le=65_535, description="TCP port on 127.0.0.1; 0 lets the system choose a free one.")
    host: str = Field(
        "127.0.0.1",
        description="Address to listen at besides this machine's own; needs a password and host names.",
    )
    host_names: str = Field(
        "",
        description="Names that browsers use to reach it from elsewhere, commas between: nas.local, https://g.example.",
    )
    workers: int = Field(
        default_factory=default_workers, ge=1, le=64, description="Processes that read and decode images."
    )
    executor: str = Field(
        "local", description="Where jobs are done: local (processes of this machine), or dask://HOST:PORT (a cluster)."
    )
    send_files: bool = Field(
        False, description="Whether the bytes of images travel to the cluster, which need not see the folders then."
    )
    watch: bool = Field(True, description="Whether folders are watched for new images while serving.")

    settle_s: float = Field(
        60, ge=0, description="Seconds an incomplete file must stay unchanged before it counts as damaged."
    )

    read_limit_ms: int = Field(
        1_000, ge=1, description="Milliseconds after which a read of the database is broken off."
    )
    task_limit_s: float = Field(
        30, gt=0, description="Seconds after which a worker that is still at one task is killed."
    )
    slow_task_limit_s: float = Field(
        3_600,
        gt=0,
        description="The same for the worker of what may take minutes: models, model servers.",
    )
    vision_memory_bytes: int = Field(
        4 * 1024 * MIB, ge=256 * MIB, description="Bytes of memory that the worker which looks at pictures may take."
    )

    @field_validator("library")
    @classmethod
    def _read_path(cls, library: Path) -> Path:
        """As people enter it; absolute, because workers have another current folder."""
        return parse_entered_path(library).absolute()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for part in self.host_names.split(",") if (name := part.strip()))

    worker_memory_bytes: int = Field(
        512 * MIB, ge=64 * MIB, description="Bytes of memory that one worker process may take."
    )
