"""The components of a running Orchestrator, looked up by type (dependency injection)."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


class MissingPartError(LookupError):
    """A function needs a component that is not registered, or that is registered later."""


class Parts:
    """One component of each type."""

    def __init__(self) -> None:
        self._parts: dict[Any, Any] = {}

    def add(self, part: T, kind: Any = None) -> T:
        """Registers a component and returns it. `kind` is the type to look it up by if that is not its own, such as a
        protocol. Raises `ValueError` if a component of that type is already registered."""
        key = kind or type(part)
        if key in self._parts:
            raise ValueError(f"A component of type {key.__name__} is already registered.")
        self._parts[key] = part
        return part

    def has(self, kind: type) -> bool:
        return kind in self._parts

    def get(self, kind: type[T]) -> T:
        """Raises `MissingPartError`."""
        if kind not in self._parts:
            raise MissingPartError(f"No component of type {kind.__name__} is registered.")
        part: T = self._parts[kind]
        return part

    def call(self, build: Callable[..., T]) -> T:
        """Calls `build` with a component for each parameter without a default. Raises `MissingPartError`."""
        needed = _parameters(build)
        missing = [kind for kind in needed.values() if kind not in self._parts]
        if missing:
            raise MissingPartError(
                f"{build.__module__}.{build.__qualname__} needs a component of type {missing[0]}, "
                "but none is registered."
            )
        return build(**{name: self._parts[kind] for name, kind in needed.items()})


def _parameters(build: Callable[..., Any]) -> dict[str, Any]:
    """The types of the parameters without a default, by name."""
    hints = get_type_hints(vars(build)["__init__"] if isinstance(build, type) else build)
    parameters = inspect.signature(build).parameters.values()
    return {one.name: hints[one.name] for one in parameters if one.default is inspect.Parameter.empty}
