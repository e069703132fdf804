"""The running parts of an Orchestrator, looked up by type (dependency injection)."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


class MissingPartError(LookupError):
    """A function needs a part that does not exist, or that is added later."""


class Parts:
    """One part for each type."""

    def __init__(self) -> None:
        self._parts: dict[Any, Any] = {}

    def add(self, part: T, kind: Any = None) -> T:
        """Adds a part and returns it. `kind` is the type to look it up by when that is not its own, such as a
        protocol. Raises `ValueError` when there already is a part of that type."""
        key = kind or type(part)
        if key in self._parts:
            raise ValueError(f"There are two parts of the type {key.__name__}.")
        self._parts[key] = part
        return part

    def has(self, kind: type) -> bool:
        return kind in self._parts

    def get(self, kind: type[T]) -> T:
        """Raises `MissingPartError`."""
        if kind not in self._parts:
            raise MissingPartError(f"There is no part of the type {kind.__name__}.")
        part: T = self._parts[kind]
        return part

    def call(self, build: Callable[..., T]) -> T:
        """Calls `build` with a part for each parameter without a default. Raises `MissingPartError`."""
        needed = _parameters(build)
        missing = [kind for kind in needed.values() if kind not in self._parts]
        if missing:
            raise MissingPartError(f"{build.__module__}.{build.__qualname__} needs {missing[0]}, which is not a part.")
        return build(**{name: self._parts[kind] for name, kind in needed.items()})


def _parameters(build: Callable[..., Any]) -> dict[str, Any]:
    """The types of the parameters without a default, by name."""
    hints = get_type_hints(vars(build)["__init__"] if isinstance(build, type) else build)
    parameters = inspect.signature(build).parameters.values()
    return {one.name: hints[one.name] for one in parameters if one.default is inspect.Parameter.empty}
