"""Import hooks: every feature that brings one is called, in order, and none is forgotten silently."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mysticanvas.features import hooks
from mysticanvas.features.hooks import ImportHooks


@pytest.fixture
def only_these() -> Iterator[None]:
    before = list(hooks.list_hooks())
    yield
    hooks.register(before)


@pytest.mark.usefixtures("only_these")
def test_features_are_called_in_the_order_in_which_they_are_registered() -> None:
    called: list[str] = []
    hooks.register(
        [ImportHooks(on_images_added=lambda *_, now_ms, name=name: called.append(f"{name} {now_ms}")) for name in "abc"]
    )
    for one in hooks.list_hooks():
        one.on_images_added(None, [], now_ms=7)  # type: ignore[arg-type]
        one.on_prompts_added(None, [], now_ms=7)  # type: ignore[arg-type]
    assert called == ["a 7", "b 7", "c 7"]


@pytest.mark.usefixtures("only_these")
def test_a_removal_is_heard_before_the_row_goes_and_after() -> None:
    heard: list[str] = []

    @contextmanager
    def around(_: Any, image: int, /, *, heir: int | None, now_ms: int) -> Iterator[None]:
        heard.append(f"before {image} {heir}")
        yield
        heard.append(f"after {image}")

    hooks.register([ImportHooks(), ImportHooks(around_removal=around)])
    with hooks.run_removal_hooks(None, 3, heir=4, now_ms=0):  # type: ignore[arg-type]
        heard.append("gone")
    assert heard == ["before 3 4", "gone", "after 3"]


@pytest.mark.usefixtures("only_these")
def test_without_features_nothing_is_imported_silently_without_what_hangs_on_it() -> None:
    hooks.register([])
    with pytest.raises(RuntimeError, match="not loaded"):
        hooks.list_hooks()
