"""Names of tags, phrases of prompts and templates, on any text (T10)."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import growth

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.tag import MAX_NAME, make_tag_key, parse_tag_name
from mysticanvas.features.tags import bulk_script
from mysticanvas.features.tags.prompt_phrases import MAX_CHARACTERS, MAX_WORDS, extract_phrases
from mysticanvas.features.templates import types as template_types

texts = st.text(max_size=300)


@given(texts)
def test_the_key_of_a_key_is_itself(text: str) -> None:
    assert make_tag_key(make_tag_key(text)) == make_tag_key(text)


@given(texts)
def test_a_name_that_is_taken_is_taken_again_as_the_same_tag(text: str) -> None:
    try:
        name = parse_tag_name(text)
    except InvalidInputError:
        return
    assert parse_tag_name(name.shown) == name
    assert parse_tag_name(name.key).key == name.key
    assert 0 < len(name.key) <= MAX_NAME


@pytest.mark.parametrize("field", ["rating", "engine", "generator", "explicit"])
def test_a_tag_name_cannot_begin_with_a_search_field(field: str) -> None:
    with pytest.raises(InvalidInputError, match="search field"):
        parse_tag_name(f"{field}:high")


def test_a_tag_from_before_nsfw_was_a_field_keeps_its_name() -> None:
    assert parse_tag_name("nsfw:high").key == "nsfw:high"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Long_Hair", "long  hair"), ("ＦＯＸ", "fox"), ("straße", "STRASSE"), ("ﬁre", "fire"), ("é", "e\u0301")],
)
def test_names_that_people_hold_for_one_are_one(one: str, other: str) -> None:
    assert parse_tag_name(one).key == parse_tag_name(other).key


@pytest.mark.parametrize(
    "name", ["🦊", "狐", "여우", "re:zero", ":3", "^_^", "1girl", "saber (fate)", "c++", "o'brien"]
)
def test_names_in_every_script_are_taken(name: str) -> None:
    assert parse_tag_name(name).shown == name


@pytest.mark.parametrize(
    "name",
    ["", "  ", "___", "a\nb", "a\tb", "a\x00b", "a\u202eb", "a\u200fb", "NOT", "or", "rating:5", "Tag:fox", "-fox"]
    + ["a,b", 'a"b', "a*", "x" * (MAX_NAME + 1), "\ud800"],
)  # fmt: skip
def test_names_that_could_deceive_or_not_be_searched_for_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_tag_name(name)


def test_phrases_are_what_stands_between_commas_without_syntax() -> None:
    prompt = (
        "masterpiece, (best quality:1.2), ((red fox)), [blurry], <lora:foxes_v2:0.8>, saber \\(fate\\), snow BREAK"
        " night, a long sentence that is not a tag at all, 1girl, 8k, 8k, {soft light}, 123, fox:1.3"
    )
    assert extract_phrases(prompt) == [
        "masterpiece", "best quality", "red fox", "blurry", "saber (fate)", "snow", "night", "1girl", "8k",
        "soft light", "fox",
    ]  # fmt: skip


@given(texts)
def test_phrases_are_short_and_each_comes_once(prompt: str) -> None:
    found = extract_phrases(prompt)
    assert len(found) == len(set(found))
    assert all(len(one) <= MAX_CHARACTERS and 0 < len(one.split()) <= MAX_WORDS for one in found)


@given(st.text(alphabet="ab{}|_$:\\-,2 ", max_size=80), st.integers(0, 1 << 40))
def test_any_text_is_a_template(text: str, seed: int) -> None:
    try:
        first = template_types.expand(text, seed=seed, values={"a": "x"}, lines_of=lambda _: [])
    except InvalidInputError:
        return
    assert template_types.expand(text, seed=seed, values={"a": "x"}, lines_of=lambda _: []) == first


@given(st.text(alphabet=st.characters(exclude_characters="{}|_\\"), max_size=200))
def test_text_without_syntax_stays_as_it_is(text: str) -> None:
    assert template_types.expand(text, seed=0, values={}, lines_of=lambda _: ["no"]) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{a|b}", {"a", "b"}),
        ("{2$$a|b|c}", {"a, b", "b, a", "a, c", "c, a", "b, c", "c, b"}),
        ("{1-2$$ and $$a|b}", {"a", "b", "a and b", "b and a"}),
        ("{0::a|1::b}", {"b"}),
        ("{a|{b|c}}", {"a", "b", "c"}),
        ("{subject}", {"fox"}),
        ("{unknown}", {"{unknown}"}),
        ("__colour__ {x|__colour__}", {"red x", "red red", "blue x", "blue blue", "red blue", "blue red"}),
        ("\\{a\\|b\\}", {"{a|b}"}),
        ("{masterpiece, best}", {"{masterpiece, best}"}),
        ("{a|b", {"{a|b"}),
        ("a}", {"a}"}),
    ],
)
def test_a_template_expands_to_all_that_it_may(text: str, expected: set[str]) -> None:
    lines = {"colour": ["red", "blue"]}
    found = {
        template_types.expand(text, seed=seed, values={"subject": "fox"}, lines_of=lambda n: lines.get(n, []))
        for seed in range(300)
    }
    assert found == expected


def test_a_wildcard_that_leads_to_itself_and_one_that_explodes_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="itself"):
        template_types.expand("__x__", seed=0, values={}, lines_of=lambda _: ["__x__"])
    with pytest.raises(InvalidInputError):
        template_types.expand("__x__" * 20, seed=0, values={}, lines_of=lambda _: ["__y__" * 20 + "z" * 999])


@pytest.mark.parametrize("shape", ["{", "}", "{a|", "__", "\\", "{2$$", "(", "<", "a:1)", ", ", "<lora:"])
def test_reading_takes_work_in_proportion_to_the_text(shape: str) -> None:
    def reading(size: int) -> Callable[[], object]:
        return partial(read, (shape * size)[:size])

    def read(text: str) -> None:
        extract_phrases(text)
        try:
            template_types.parse(text)
        except InvalidInputError:
            pass

    growth.check_in_proportion(reading, growth.doublings(49_000, 5))


@given(texts)
def test_a_script_of_anything_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        bulk_script.parse(text)
    except InvalidInputError as refused:
        assert "Line" in str(refused)
