"""Every setting with its unit and default.

Arguments override the environment variables `MYSTICANVAS_<NAME>`, which override the configuration file, which
overrides the defaults. The configuration file is `config.toml` in the user's configuration folder, or the file that
`MYSTICANVAS_CONFIG` names.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta
from platformdirs import user_config_path, user_data_path

from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import InvalidInputError, LibraryError

MIB = 1024 * 1024
ENVIRONMENT = "MYSTICANVAS_"
CONFIG_VARIABLE = f"{ENVIRONMENT}CONFIG"
_NO_HOME = (
    "This account has no home folder for the library. Specify a folder with --library, or set MYSTICANVAS_LIBRARY."
)
_SWITCHES = {"yes": True, "on": True, "y": True, "t": True, "no": False, "off": False, "n": False, "f": False}


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


def find_config_file() -> Path | None:
    """The path of the configuration file, which may not exist. None for an account without a home folder."""
    if named := os.environ.get(CONFIG_VARIABLE):
        return parse_entered_path(Path(named)).absolute()
    try:
        folder = user_config_path("mysticanvas", appauthor=False)
    except RuntimeError:
        return None
    return folder / "config.toml" if folder.is_absolute() else None


@dataclass(frozen=True, init=False)
class Settings:
    """Immutable. `Settings(port=0)` overrides one setting; the others come from the environment, the configuration file
    or the defaults. Raises `InvalidInputError` for an invalid value."""

    library: Annotated[
        Path,
        Meta(
            description="Library folder. Contains the database, thumbnails and backups. Your images stay where they "
            "are."
        ),
    ] = field(default_factory=get_default_library)
    port: Annotated[int, Meta(ge=0, le=65_535, description="TCP port on 127.0.0.1. 0 selects a free port.")] = 8642
    host: Annotated[
        str,
        Meta(description="Additional address to listen on, for other machines. Requires a password and host names."),
    ] = "127.0.0.1"
    host_names: Annotated[
        str,
        Meta(
            description="Host names for access from other machines, separated by commas: nas.local, https://g.example."
        ),
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(
            description="Comma-separated addresses or networks of trusted proxies. Their X-Forwarded-For header "
            "identifies the client when failed password attempts are counted."
        ),
    ] = ""
    workers: Annotated[
        int, Meta(ge=1, le=64, description="Number of worker processes that read and decode images.")
    ] = field(default_factory=get_default_workers)
    executor: Annotated[
        str,
        Meta(description="Where jobs run: local (processes on this machine) or dask://HOST:PORT (a cluster)."),
    ] = "local"
    send_files: Annotated[
        bool,
        Meta(
            description="Send image files to the cluster. Otherwise, the cluster must be able to read them at the "
            "same paths."
        ),
    ] = False
    watch: Annotated[bool, Meta(description="Watch folders for new images while MystiCanvas is running.")] = True
    settle_s: Annotated[
        float,
        Meta(ge=0, description="Seconds that an incomplete file must stay unchanged before it counts as damaged."),
    ] = 60
    read_limit_ms: Annotated[int, Meta(ge=1, description="Milliseconds after which a database read is canceled.")] = (
        1_000
    )
    task_limit_s: Annotated[
        float, Meta(gt=0, description="Maximum time in seconds for one task before the worker is killed.")
    ] = 30
    slow_task_limit_s: Annotated[
        float,
        Meta(
            gt=0,
            description="Maximum time in seconds for one slow task before the worker is killed. Slow tasks run models "
            "or wait for model servers.",
        ),
    ] = 3_600
    hook_limit_s: Annotated[
        float,
        Meta(gt=0, description="Maximum time in seconds for one call of a hook before it is stopped and tried again."),
    ] = 60
    vision_memory_bytes: Annotated[
        int, Meta(ge=256 * MIB, description="Memory limit in bytes for the image analysis worker.")
    ] = 4 * 1024 * MIB
    worker_memory_bytes: Annotated[
        int, Meta(ge=64 * MIB, description="Memory limit in bytes for each worker process.")
    ] = 512 * MIB

    def __init__(self, **given: Any) -> None:
        found = read_config_file() | read_environment() | given
        if unknown := found.keys() - _DEFAULTS.keys():
            raise TypeError(f"There is no setting {min(unknown)}.")
        for name, default in _DEFAULTS.items():
            value = convert(name, found[name]) if name in found else default()
            object.__setattr__(self, name, value)
        # Workers have a different current folder.
        object.__setattr__(self, "library", parse_entered_path(self.library).absolute())

    @property
    def names(self) -> tuple[str, ...]:
        return _split(self.host_names)

    @property
    def proxies(self) -> tuple[str, ...]:
        return _split(self.trusted_proxies)


def _get_default(one: Any) -> Callable[[], Any]:
    if one.default_factory is not MISSING:
        return one.default_factory  # type: ignore[no-any-return]
    return lambda: one.default


_DEFAULTS: Mapping[str, Callable[[], Any]] = {one.name: _get_default(one) for one in fields(Settings)}
NAMES = tuple(_DEFAULTS)


@cache
def _read_types() -> dict[str, Any]:
    return get_type_hints(Settings, include_extras=True)


def describe(name: str) -> str:
    """The description of a setting."""
    return str(get_args(_read_types()[name])[1].description)


def convert(name: str, value: Any) -> Any:
    """The value of a setting, from text or TOML. Raises `InvalidInputError`."""
    kind = _read_types()[name]
    entered = value
    if isinstance(value, str) and get_args(kind)[0] is bool:
        value = _SWITCHES.get(value.strip().lower(), value)
    try:
        return Path(value) if get_args(kind)[0] is Path else msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, TypeError) as error:
        raise InvalidInputError(f"{name} cannot be “{entered}”: {str(error)[:1].lower()}{str(error)[1:]}.") from error


def read_environment() -> dict[str, str]:
    """The settings that environment variables set. Empty variables are ignored."""
    return {name: value for name in NAMES if (value := os.environ.get(ENVIRONMENT + name.upper()))}


def read_config_file() -> dict[str, Any]:
    """The settings in the configuration file. Raises `InvalidInputError` for a file that is not valid."""
    path = find_config_file()
    if path is None or not path.is_file():
        return {}
    # Loaded only by those who have a configuration file.
    import tomllib

    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"The configuration file {path} is not valid TOML: {error}.") from error
    for name in found:
        if name not in _DEFAULTS:
            raise InvalidInputError(f"The configuration file {path} contains an unknown setting. {reject_name(name)}")
    return found


def reject_name(name: str) -> str:
    """The error for a setting that does not exist, with the most similar one that does."""
    close = get_close_matches(name, NAMES, n=1)
    advice = f"Did you mean {close[0]}?" if close else f"The settings are: {', '.join(NAMES)}."
    return f"There is no setting “{name}”. {advice}"


def _split(names: str) -> tuple[str, ...]:
    return tuple(name for part in names.split(",") if (name := part.strip()))
