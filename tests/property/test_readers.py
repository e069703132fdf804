"""Whatever the bytes and whatever the text: readers and parsers raise only their own errors (M5, S1)."""

import json

from hypothesis import example, given
from hypothesis import strategies as st
from tests.pictures import a1111_png
from tests.property.hostile import FAULT

from mysticanvas.domain.errors import QueryError, UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead, TextEntry
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.detect import read_recipe
from mysticanvas.search import language

STARTS = (
    b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8X", b"GIF89a", b"\0\0\0\x1cftypavif", b"BM",
)  # fmt: skip
WHOLE = a1111_png(1)


class Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read(self, offset: int, length: int) -> bytes:
        return self._content[offset : offset + length]


def read(content: bytes) -> None:
    try:
        head = read_head(Bytes(content))
    except UnreadableFileError:
        return
    read_recipe(head, file_name="x")


@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_any_bytes_are_an_image_or_refused(start: bytes, rest: bytes) -> None:
    read(start + rest)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8), st.integers(0, len(WHOLE)))
def test_a_damaged_image_is_an_image_or_refused(at: int, other: bytes, end: int) -> None:
    read((WHOLE[:at] + other + WHOLE[at + len(other) :])[: max(at, end)])


KEYS = ("parameters", "prompt", "workflow", "UserComment", "invokeai_metadata", "sd-metadata", "Dream", "Model")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(["1", 0]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("1", "2", "class_type", "inputs", "nodes", "links", "model", "image")), inner
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(KEYS), st.text(max_size=300) | JSON.map(json.dumps))
@example("prompt", "a fox\0 in snow")
def test_any_text_gives_a_recipe_that_can_be_stored(key: str, text: str) -> None:
    head = ImageHead(ImageFormat.PNG, 1, 1, 1, True, (TextEntry("tEXt", key, text),))
    recipe = read_recipe(head, file_name="x")
    assert FAULT not in recipe.problems
    json.dumps(recipe.params).encode()
    for said in (recipe.prompt, recipe.model, recipe.sampler):
        assert said is None or "\0" not in said.encode().decode()


@given(st.text(max_size=60))
def test_any_search_is_a_query_or_an_error_that_points_at_the_place(text: str) -> None:
    try:
        query = language.parse(text)
    except QueryError as error:
        assert 0 <= error.position <= max(len(text), 2_000)
        return
    assert language.parse(language.write(query)) == query
