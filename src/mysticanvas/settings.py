"""Every setting with its unit and default. The environment variable `MYSTICANVAS_<NAME>` sets one."""

import os
from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import LibraryError

MIB = 1024 * 1024
_NO_HOME = (
    "This account has no home folder for the library. Specify a folder with --library, or set MYSTICANVAS_LIBRARY."
)


def get_default_library() -> Path:
    """Raises `LibraryError` for an account without a home folder, as some services and containers have."""
    try:
        folder = user_data_path("mysticanvas", appauthor=False)
    except RuntimeError as error:
        raise LibraryError(_NO_HOME) from error
    # Older versions of platformdirs leave the `~` in it.
    if not folder.is_absolute():
        raise LibraryError(_NO_HOME)
    return folder


def get_default_workers() -> int:
    """One per core, at most eight: beyond that, the disk is the bottleneck. Workers run at low priority."""
    return max(1, min(8, os.cpu_count() or 1))


class Settings(BaseSettings):
    """Immutable. Arguments override the environment, which overrides the defaults."""

    model_config = SettingsConfigDict(env_prefix="MYSTICANVAS_", extra="ignore", frozen=True)

    library: Path = Field(
        default_factory=get_default_library,
        description="Library folder. Contains the database, thumbnails and backups. Your images stay where they are.",
    )
    port: int = Field(8642, ge=0, le=65_535, description="TCP port on 127.0.0.1. 0 selects a free port.")
    host: str = Field(
        "127.0.0.1",
        description="Additional address to listen on, for other machines. Requires a password and host names.",
    )
    host_names: str = Field(
        "",
        description="Host names for access from other machines, separated by commas: nas.local, https://g.example.",
    )
    trusted_proxies: str = Field(
        "",
        description="Comma-separated addresses or networks of trusted proxies. Their X-Forwarded-For header "
        "identifies the client when failed password attempts are counted.",
    )
    workers: int = Field(
        default_factory=get_default_workers,
        ge=1,
        le=64,
        description="Number of worker processes that read and decode images.",
    )
    executor: str = Field(
        "local", description="Where jobs run: local (processes on this machine) or dask://HOST:PORT (a cluster)."
    )
    send_files: bool = Field(
        False,
        description=(
            "Send image files to the cluster. Otherwise, the cluster must be able to read them at the same paths."
        ),
    )
    watch: bool = Field(True, description="Watch folders for new images while MystiCanvas is running.")

    settle_s: float = Field(
        60, ge=0, description="Seconds that an incomplete file must stay unchanged before it counts as damaged."
    )

    read_limit_ms: int = Field(1_000, ge=1, description="Milliseconds after which a database read is canceled.")
    task_limit_s: float = Field(
        30, gt=0, description="Maximum time in seconds for one task before the worker is killed."
    )
    slow_task_limit_s: float = Field(
        3_600,
        gt=0,
        description=(
            "Maximum time in seconds for one slow task before the worker is killed. Slow tasks run models or wait for "
            "model servers."
        ),
    )
    hook_limit_s: float = Field(
        60, gt=0, description="Maximum time in seconds for one call of a hook before it is stopped and tried again."
    )
    vision_memory_bytes: int = Field(
        4 * 1024 * MIB, ge=256 * MIB, description="Memory limit in bytes for the image analysis worker."
    )

    @field_validator("library")
    @classmethod
    def _read_path(cls, library: Path) -> Path:
        """The entered path as an absolute path, because workers have a different current folder."""
        return parse_entered_path(library).absolute()

    @property
    def names(self) -> tuple[str, ...]:
        return _split(self.host_names)

    @property
    def proxies(self) -> tuple[str, ...]:
        return _split(self.trusted_proxies)

    worker_memory_bytes: int = Field(
        512 * MIB, ge=64 * MIB, description="Memory limit in bytes for each worker process."
    )


def _split(names: str) -> tuple[str, ...]:
    return tuple(name for part in names.split(",") if (name := part.strip()))
