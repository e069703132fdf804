"""One grammar, one tree: text, tree and JSON lead to each other (S1), and nothing breaks it (G6)."""

import json
import random
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests import growth
from tests.queries import queries

from mysticanvas.domain.errors import QueryError
from mysticanvas.domain.query import Field, NamedValue, Not, Order, Query, SimilarMeaning, SimilarPrompt, Text, all_of
from mysticanvas.search import language, query_json


@given(queries)
def test_the_text_of_a_query_is_that_query(query: Query) -> None:
    assert language.parse(language.write(query)) == query


@given(queries)
def test_the_json_of_a_query_is_that_query(query: Query) -> None:
    assert query_json.read(json.loads(json.dumps(query_json.write(query)))) == query


@given(queries)
def test_the_chips_of_a_query_side_by_side_are_that_query(query: Query) -> None:
    chips = [text for _, text in language.format_parts(query)]
    chips += [language.format_similar(query.similar)] if query.similar else []
    chips += [language.format_sort(query.sort)] if query.sort else []
    assert language.parse(" ".join(chips)) == query


@given(st.text(max_size=60))
@example('tag:"')
@example("((((((((((((((((((((((((")
@example("date:9999-12-31")
@example('a OR b ~"sad robot" sort:similarity')
@example("~~ -~x (~y)")
def test_what_parses_once_is_written_in_its_lasting_form(text: str) -> None:
    try:
        query = language.parse(text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        return
    assert language.parse(language.write(query)) == query


def test_what_is_to_be_similar_stands_once_and_orders_by_itself() -> None:
    query = language.parse('rating:>=4 ~"sad robot"')
    assert (query.similar, query.order.by) == (SimilarMeaning("sad robot"), Order.SIMILARITY)
    assert language.parse("sort:similarity ~robot") == language.parse("~robot")
    assert language.parse("~robot sort:oldest").order.by is Order.OLDEST
    assert language.parse("similar:4F9C0d2e").similar == SimilarPrompt("4f9c0d2e")
    assert language.parse("~ robot").similar is None
    assert language.parse('"~robot"').where == Text("~robot")


@pytest.mark.parametrize(
    ("text", "position"),
    [("~a ~b", 3), ("-~a", 1), ("(~a)", 1), ('~""', 0), ("a sort:similarity", 2), ("like:zz", 0), ("~a like:4f9c", 3)],
)
def test_likeness_that_makes_no_sense_is_pointed_at(text: str, position: int) -> None:
    with pytest.raises(QueryError) as refused:
        language.parse(text)
    assert refused.value.position == position


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["version", "where", "all", "any", "not", "text", "named", "field", "value", "sort", "by"]),
        inner, max_size=3,
    ),
)  # fmt: skip


@given(json_values)
def test_foreign_json_is_refused_in_one_way(value: object) -> None:
    try:
        query_json.read(value)
    except QueryError:
        pass


def test_json_of_a_later_version_is_refused() -> None:
    with pytest.raises(QueryError, match="newer"):
        query_json.read({"version": 2, "where": {"text": {"text": "sea"}}})


PIECES = (
    *"()-\"\\:*.<>=,| \t\n\0",
    *(f"{field}:" for field in Field), "nsfw:", "generator:", "OR", "AND", "NOT", "sort:random:7", "rating:>=4",
    "date:2026-08..2026-09", "lora:film_grain>=0.5", "size:>=1024x1024", "seed:342898", "tag:miku_(vocaloid)",
    "夜景", "привет", "café", "ﬀ",
    "\u202e", "😀", "a" * 300, "(" * 20, "-" * 20, '"over the sea"', "date:0000", "date:>=9999-12-31", "rating:9",
    "id:zz", "mp:2..1", "\ud800", "violet", "storm", "path:", "2026/", "..", "1e309", "9" * 50,
)  # fmt: skip


def _strings(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(PIECES, k=chance.randrange(1, 14))) for _ in range(count)]


# Of Python functions and built-in ones, for each character and for ten more: an error compares with all that there is.
# The most that any of a hundred thousand strings needs is 75; a search is at most 2,000 characters long.
MOST_CALLS = 250


def _survives(strings: list[str]) -> None:
    """Each parses, in a number of steps that its length bounds, or is refused with a place within it."""
    for text in strings:
        with growth.counted_calls() as calls:
            try:
                assert language.parse(language.write(language.parse(text))) == language.parse(text), text
            except QueryError as error:
                assert 0 <= error.position <= len(text), text
        assert calls.count <= MOST_CALLS * (len(text) + 10), text


@pytest.mark.parametrize(
    "piece", ["(", "-", "a ", '"', "tag:a OR ", "(a OR b) ", "a)", "NOT ", "~", "\\", "modl:x ", " ", "夜"]
)
def test_the_work_grows_in_proportion_to_the_search(piece: str) -> None:
    """Also where it is refused. `MOST_CALLS` sees no step within a built-in function."""

    def parse(text: str) -> None:
        try:
            language.parse(text)
        except QueryError:
            pass

    growth.check_in_proportion(
        lambda size: partial(parse, (piece * size)[:size]), growth.doublings(language.MAX_CHARACTERS, 4)
    )


def test_ten_thousand_random_strings_parse_or_are_refused() -> None:
    _survives(_strings(10_000, seed=4))


@pytest.mark.long
def test_a_hundred_thousand_random_strings_parse_or_are_refused() -> None:
    _survives(_strings(100_000, seed=44))


@pytest.mark.parametrize(
    ("text", "position", "suggestion"),
    [
        ('violet "over', 7, '"over"'),
        ("violet modl:flux", 7, "model:flux"),
        ("rating:9", 0, "rating:>=3"),
        ("is:favorit", 0, "is:favorite"),
        ("has:workflw", 0, "has:workflow"),
        ("sort:newst", 0, "sort:newest"),
        ("(masterpiece:1.2)", 1, "masterpiece"),
        ("size:portait", 0, "size:portrait"),
        ("date:yesterdy", 0, "date:2026-08"),
        ("seed:abc", 0, "seed:342898"),
        ("(a OR b", 0, None),
        ("a)", 1, None),
        ("a OR", 2, '"OR"'),
        ("OR a", 0, '"OR"'),
        ("-sort:oldest", 1, "sort:oldest"),
        ("a NOT", 2, None),
        ("tag:", 0, "tag:lighthouse"),
    ],
)
def test_an_error_points_at_the_place_and_suggests(text: str, position: int, suggestion: str | None) -> None:
    with pytest.raises(QueryError) as refused:
        language.parse(text)
    assert (refused.value.position, refused.value.suggestion) == (position, suggestion)


def test_the_query_of_the_product_page_parses() -> None:
    text = (
        'violet storm "over the sea" -boat tag:lighthouse -tag:person model:flux1-dev lora:film_grain>=0.5 rating:>=4 '
        "is:favorite date:2026-08..2026-09 size:>=1024x1024 seed:342898 generator:comfyui has:workflow path:2026/ "
        'sampler:"dpm++ 2m" (tag:a OR tag:b) sort:newest'
    )
    query = language.parse(text)
    assert len(query.terms) == 19
    assert language.write(query) == text.replace("path:2026/", "path:2026")


@given(queries)
def test_a_written_query_has_only_the_documented_names_and_parses_under_the_former_ones(query: Query) -> None:
    text = language.write(query)
    tokens = language.tokenize(text)
    assert not {"engine", "explicit"} & {token.field for token in tokens}
    assert ("is", "favourite") not in {(token.field, token.value) for token in tokens}
    former = {"generator": "engine", "nsfw": "explicit"}
    for token in reversed(tokens):
        if token.field in former:
            text = text[: token.position] + former[token.field] + text[token.position + len(token.field) :]
    assert language.parse(text) == query


def test_operators_are_words_in_quotes_and_in_lower_case() -> None:
    assert language.parse("or").where == Text("or")
    assert language.parse('"OR"').where == Text("OR")
    assert language.parse("tag:or").where == NamedValue(Field.TAG, "or")
    assert language.parse("tag:OR -tag:or").where == all_of(
        [NamedValue(Field.TAG, "OR"), Not(NamedValue(Field.TAG, "or"))]
    )


def test_a_parenthesis_that_a_value_opens_belongs_to_it() -> None:
    assert language.parse("(tag:miku_(vocaloid))").where == NamedValue(Field.TAG, "miku_(vocaloid)")
