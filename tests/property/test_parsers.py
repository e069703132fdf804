"""Each generator's own way of writing is read back; damaged, it costs little and breaks nothing (M5, M7)."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import growth
from tests.property import effort, writers
from tests.property.hostile import FAULT, SHAPES, check_storable, read
from tests.property.writers import Made

from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.generators import a1111
from mysticanvas.formats.generators.infotext import write_infotext


@pytest.mark.parametrize("name", writers.WRITERS)
@effort.each_parser
@given(made=writers.made)
def test_what_a_generator_writes_is_read_back(name: str, made: Made) -> None:
    tool, write, fields = writers.WRITERS[name]
    recipe = read(write(made))
    wanted = {
        "prompt": " ".join(made.prompt.split()), "negative": " ".join(made.negative.split()), "seed": made.seed,
        "steps": made.steps, "cfg": made.cfg, "sampler": made.sampler, "scheduler": made.scheduler,
        "width": made.width, "height": made.height, "model": made.model,
    }  # fmt: skip
    said = {
        "prompt": " ".join((recipe.prompt or "").split()), "negative": " ".join((recipe.negative_prompt or "").split()),
        "seed": recipe.seed, "steps": recipe.steps, "cfg": recipe.cfg_scale, "sampler": recipe.sampler,
        "scheduler": recipe.scheduler, "width": recipe.width, "height": recipe.height, "model": recipe.model,
    }  # fmt: skip
    assert recipe.tool == tool
    assert {key: said[key] for key in fields} == {key: wanted[key] for key in fields}


_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(["1", 0]) | st.just("None"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _with_junk(value: Any, draw: Any, junk: list[Any]) -> Any:
    """The same structure, some of its values replaced."""
    if draw(st.integers(0, 5)) == 0:
        return draw(_junk)
    if isinstance(value, dict):
        return {key: _with_junk(inner, draw, junk) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_junk(inner, draw, junk) for inner in value]
    return value


@pytest.mark.parametrize("name", writers.WRITERS)
@effort.each_parser
@given(made=writers.made, data=st.data())
def test_a_damaged_text_gives_a_recipe_that_can_be_stored(name: str, made: Made, data: st.DataObject) -> None:
    texts = writers.WRITERS[name][1](made)
    key = data.draw(st.sampled_from(sorted(texts)))
    label, brace, content = texts[key].partition("{")
    if brace and data.draw(st.booleans()):
        try:
            value = json.loads((brace + content).rstrip("\0"))
        except ValueError:
            value = None
        if value is not None:
            texts[key] = label + json.dumps(_with_junk(value, data.draw, []))
    else:
        at = data.draw(st.integers(0, len(texts[key])))
        texts[key] = texts[key][:at] + data.draw(st.text(max_size=5)) + texts[key][at + data.draw(st.integers(0, 9)) :]
    check_storable(read(texts))
    check_storable(read({}, beside={"x.json": texts[key], "x.txt": texts[key], "x.yaml": texts[key]}))


# -- there and back -----------------------------------------------------------------------------------------


_values = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30).map(str.strip)
_params = st.dictionaries(
    st.from_regex(r"[A-Z][a-z]{2,8}( [a-z]{2,8})?", fullmatch=True).filter(lambda key: key not in _TAKEN),
    _values.filter(bool),
    max_size=4,
)
_TAKEN = frozenset(
    ("Steps", "Sampler", "Scheduler", "Seed", "Size", "Model", "Model hash", "Version", "Refiner", "Guidance", "Unet",
     "Clip skip", "Time", "Date", "App", "Denoise", "Hashes")
)  # fmt: skip


@effort.parsers
@given(made=writers.made, params=_params, denoise=st.none() | st.integers(0, 100).map(lambda n: n / 100))
def test_parameters_that_are_copied_and_read_again_are_the_same(
    made: Made, params: dict[str, str], denoise: float | None
) -> None:
    recipe = Recipe(
        tool="A1111",
        tool_version="v1.10.1",
        prompt=made.prompt,
        negative_prompt=made.negative,
        seed=made.seed,
        steps=made.steps,
        cfg_scale=made.cfg,
        sampler=made.sampler,
        scheduler=made.scheduler,
        denoise=denoise,
        width=made.width,
        height=made.height,
        model=made.model,
        model_hash="6ce0161689",
        params=dict(params),
    )
    assert a1111.parse(write_infotext(recipe)) == recipe


@pytest.mark.parametrize("name", writers.WRITERS)
@effort.of_each_parser
@given(made=writers.made)
def test_what_any_generator_made_can_be_copied_in_a1111_form(name: str, made: Made) -> None:
    recipe = read(writers.WRITERS[name][1](made))
    again = a1111.parse(write_infotext(recipe))
    for field in ("seed", "steps", "cfg_scale", "sampler", "scheduler", "width", "height", "model", "denoise"):
        if recipe.steps is not None:
            assert getattr(again, field) == getattr(recipe, field), field
    assert again.prompt == (recipe.prompt or "").strip() or recipe.steps is None


# -- cost ---------------------------------------------------------------------------------------------------

# The longest text, and how often it is halved.
SIZES = (1_000_000, 8) if effort.LONG else (250_000, 6)
# In these everything is used by everything: the work grows with the square, until the reader has looked at as many
# nodes as it may (comfyui_editor). That is so from the smallest of their sizes on, and the work stays what it is.
BOUNDED = {"subgraphs", "group nodes"}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_megabyte_made_to_hurt_is_no_fault(shape: str) -> None:
    assert FAULT not in read(SHAPES[shape](1_000_000)).problems


@pytest.mark.parametrize("shape", SHAPES)
def test_the_work_grows_in_proportion_to_the_text(shape: str) -> None:
    """From four thousand characters on: beyond some length a reader may give up, and costs nothing there."""
    sizes = [62_500, 1_000_000] if shape in BOUNDED else growth.doublings(*SIZES)
    growth.check_in_proportion(lambda size: partial(read, SHAPES[shape](size)), sizes)
