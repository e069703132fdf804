"""The running parts of one Orchestrator, found by their type."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


class MissingPartError(LookupError):
    """A function asks for a part that nothing brought, or that is brought later."""


class Parts:
    """One part for each type."""

    def __init__(self) -> None:
        self._parts: dict[Any, Any] = {}

    def add(self, part: T, kind: Any = None) -> T:
        """`kind` when others ask for it by another type than its own, such as a protocol.
        Raises `ValueError` where there is a part of that type already."""
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
        """`build` with a part for each of its parameters without a default. Raises `MissingPartError`."""
        wanted = _parameters(build)
        missing = [kind for kind in wanted.values() if kind not in self._parts]
        if missing:
            raise MissingPartError(f"{build.__module__}.{build.__qualname__} needs {missing[0]}, which is no part.")
        return build(**{name: self._parts[kind] for name, kind in wanted.items()})


def _parameters(build: Callable[..., Any]) -> dict[str, Any]:
    """The types of the parameters without a default, by name."""
    hints = get_type_hints(vars(build)["__init__"] if isinstance(build, type) else build)
    named = inspect.signature(build).parameters.values()
    return {one.name: hints[one.name] for one in named if one.default is inspect.Parameter.empty}
