"""The query language by example: tokens, trees, refusals, and trees as text."""

import pytest

from mysticanvas.domain.errors import QueryError
from mysticanvas.domain.query import (
    AddedBetween,
    All,
    Any,
    Field,
    Has,
    HasShape,
    Interval,
    Is,
    LooksLikeImage,
    LooksLikeText,
    MadeBetween,
    NamedValue,
    Node,
    Not,
    Number,
    Order,
    Query,
    Ratio,
    Shape,
    SimilarMeaning,
    SimilarPrompt,
    Size,
    Sort,
    State,
    Text,
    Thing,
)
from mysticanvas.search import language
from mysticanvas.search.language import Kind, Token

A, B, C = Text("a"), Text("b"), Text("c")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n", []),
        ("sea", [Token(Kind.TERM, 0, 3, None, "sea")]),
        (" sea  sky ", [Token(Kind.TERM, 1, 4, None, "sea"), Token(Kind.TERM, 6, 9, None, "sky")]),
        ("(a)", [Token(Kind.OPEN, 0, 1), Token(Kind.TERM, 1, 2, None, "a"), Token(Kind.CLOSE, 2, 3)]),
        ("-a", [Token(Kind.MINUS, 0, 1), Token(Kind.TERM, 1, 2, None, "a")]),
        ("-", [Token(Kind.TERM, 0, 1, None, "-")]),
        ("- a", [Token(Kind.TERM, 0, 1, None, "-"), Token(Kind.TERM, 2, 3, None, "a")]),
        ("a-b", [Token(Kind.TERM, 0, 3, None, "a-b")]),
        ("~sad", [Token(Kind.MEANING, 0, 4, None, "sad")]),
        ('~"sad robot"', [Token(Kind.MEANING, 0, 12, None, "sad robot")]),
        ("~a", [Token(Kind.MEANING, 0, 2, None, "a")]),
        ("~", [Token(Kind.TERM, 0, 1, None, "~")]),
        ("~ a", [Token(Kind.TERM, 0, 1, None, "~"), Token(Kind.TERM, 2, 3, None, "a")]),
        ("OR AND NOT", [Token(Kind.OR, 0, 2), Token(Kind.AND, 3, 6), Token(Kind.MINUS, 7, 10)]),
        ("or ORB", [Token(Kind.TERM, 0, 2, None, "or"), Token(Kind.TERM, 3, 6, None, "ORB")]),
        ("tag:OR", [Token(Kind.TERM, 0, 6, "tag", "OR")]),
        ("Tag:sea", [Token(Kind.TERM, 0, 7, "Tag", "sea")]),
        ("tag:", [Token(Kind.TERM, 0, 4, "tag", "")]),
        ("tag: sea", [Token(Kind.TERM, 0, 4, "tag", ""), Token(Kind.TERM, 5, 8, None, "sea")]),
        ("1:2", [Token(Kind.TERM, 0, 3, None, "1:2")]),
        ("é:a", [Token(Kind.TERM, 0, 3, None, "é:a")]),
        ('"a b"', [Token(Kind.TERM, 0, 5, None, "a b", quoted=True)]),
        ('" a "', [Token(Kind.TERM, 0, 5, None, "a", quoted=True)]),
        ('"a\nb"', [Token(Kind.TERM, 0, 5, None, "a\nb", quoted=True)]),
        (r'"a\"b\\c\d"', [Token(Kind.TERM, 0, 11, None, r'a"b\c\d', quoted=True)]),
        ('tag:"a b"', [Token(Kind.TERM, 0, 9, "tag", "a b", quoted=True)]),
        ('a"b"', [Token(Kind.TERM, 0, 1, None, "a"), Token(Kind.TERM, 1, 4, None, "b", quoted=True)]),
        ('lora:"a b">=0.5', [Token(Kind.TERM, 0, 15, "lora", "a b>=0.5")]),
        ('lora:"a"=-1 c', [Token(Kind.TERM, 0, 11, "lora", "a=-1"), Token(Kind.TERM, 12, 13, None, "c")]),
        ('"a">1', [Token(Kind.TERM, 0, 3, None, "a", quoted=True), Token(Kind.TERM, 3, 5, None, ">1")]),
        ("f(a(b))c", [Token(Kind.TERM, 0, 8, None, "f(a(b))c")]),
        ("f(a))", [Token(Kind.TERM, 0, 4, None, "f(a)"), Token(Kind.CLOSE, 4, 5)]),
        ("f((a)", [Token(Kind.TERM, 0, 5, None, "f((a)")]),
    ],
)
def test_a_text_is_these_tokens_at_these_places(text: str, tokens: list[Token]) -> None:
    assert language.tokenize(text) == tokens


@pytest.mark.parametrize("text", ["(", ")", "-a", "OR", "AND", "NOT"])
def test_an_operator_has_neither_field_nor_value(text: str) -> None:
    operator = language.tokenize(text)[0]
    assert (operator.field, operator.value, operator.quoted) == (None, "", False)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", None),
        ("()", None),
        ('""', None),
        ('a ""', A),
        ('-""', None),
        ("a b", All((A, B))),
        ("a AND b", All((A, B))),
        ("a AND b AND c", All((A, B, C))),
        ("AND a", A),
        ("a OR b OR c", Any((A, B, C))),
        ("a b OR c", Any((All((A, B)), C))),
        ("a OR b c", Any((A, All((B, C))))),
        ("a (b OR c)", All((A, Any((B, C))))),
        ("(a OR b) c", All((Any((A, B)), C))),
        ("-a", Not(A)),
        ("NOT a b", All((Not(A), B))),
        ("--a", A),
        ("-(a b)", Not(All((A, B)))),
        ("-(a OR b) c", All((Not(Any((A, B))), C))),
        ("(a) (b)", All((A, B))),
        ("a ~sea", A),
        ("a sort:name", A),
        ("TAG:sea", NamedValue(Field.TAG, "sea")),
        ("checkpoint:flux", NamedValue(Field.MODEL, "flux")),
        ("Generator:comfyui", NamedValue(Field.ENGINE, "comfyui")),
        ("engine:comfyui", NamedValue(Field.ENGINE, "comfyui")),
        ("nsfw:>=0.7", Number(Field.EXPLICIT, Interval(low=0.7))),
        ("explicit:>=0.7", Number(Field.EXPLICIT, Interval(low=0.7))),
        ("is:favourite", Is(State.FAVORITE)),
        ('lora:"film grain">=0.5', NamedValue(Field.LORA, "film grain", Interval(low=0.5))),
        ('lora:"film>=0.5"', NamedValue(Field.LORA, "film>=0.5")),
    ],
)
def test_a_text_is_this_tree(text: str, where: Node | None) -> None:
    assert language.parse(text).where == where


UUID = "0b3f1c9e-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("sort:oldest", Query(sort=Sort(Order.OLDEST))),
        ("order:random:7 a", Query(A, Sort(Order.RANDOM, 7))),
        ("~sea", Query(similar=SimilarMeaning("sea"))),
        ('a ~"sad robot" b', Query(All((A, B)), similar=SimilarMeaning("sad robot"))),
        (f"like:{UUID}", Query(similar=SimilarPrompt(UUID))),
        (f"looks:{UUID}", Query(similar=LooksLikeImage(UUID))),
        ('looks:"a red boat"', Query(similar=LooksLikeText("a red boat"))),
        ("~sea sort:similarity", Query(similar=SimilarMeaning("sea"))),
        ("sort:similarity ~sea", Query(similar=SimilarMeaning("sea"))),
        ("~sea sort:rating", Query(sort=Sort(Order.RATING), similar=SimilarMeaning("sea"))),
        ("(a) sort:name", Query(A, Sort(Order.NAME))),
        ("-a ~sea", Query(Not(A), similar=SimilarMeaning("sea"))),
    ],
)
def test_order_and_similarity_stand_beside_the_tree(text: str, query: Query) -> None:
    assert language.parse(text) == query


SIMILAR = '~"sad robot"'


@pytest.mark.parametrize(
    ("text", "position", "suggestion"),
    [
        ('a "b', 2, '"b"'),
        ('tag:"b', 4, '"b"'),
        ('~"b', 1, '"b"'),
        ("a)", 1, None),
        ("(a) )", 4, None),
        ("a (b", 2, None),
        ("(a OR (b)", 0, None),
        ("OR a", 0, '"OR"'),
        ("a OR", 2, '"OR"'),
        ("a OR OR b", 5, '"OR"'),
        ("a (b OR)", 5, '"OR"'),
        ("a b (OR c)", 5, '"OR"'),
        ("a (NOT)", 3, None),
        ("a NOT OR b", 2, None),
        ("a NOT AND b", 2, None),
        ("a -)", 2, None),
        ("a xyzzy:b", 2, '"xyzzy:b"'),
        ("a sort:similarity", 2, SIMILAR),
        ("sort:name sort:oldest", 10, "sort:oldest"),
        ("(sort:name)", 1, "sort:oldest"),
        ("a -sort:name", 3, "sort:oldest"),
        ("~sea ~sky", 5, SIMILAR),
        (f"~sea like:{UUID}", 5, SIMILAR),
        ("(a ~sea)", 3, SIMILAR),
        ("a -~sea", 3, SIMILAR),
        (f"-looks:{UUID}", 1, SIMILAR),
        ('a ~""', 2, SIMILAR),
    ],
)
def test_a_refusal_gives_the_place_the_reason_and_a_suggestion(
    text: str, position: int, suggestion: str | None
) -> None:
    with pytest.raises(QueryError, match=r"^\w.+") as refused:
        language.parse(text)
    assert (refused.value.position, refused.value.suggestion) == (position, suggestion)


def test_a_search_has_at_most_2000_characters() -> None:
    assert language.parse("a" * 2000).where == Text("a" * 2000)
    with pytest.raises(QueryError, match="2,000") as refused:
        language.parse("a" * 2001)
    assert refused.value.position == 2000


def test_a_search_has_at_most_64_terms() -> None:
    assert len(language.parse(" ".join("a" * 64)).terms) == 64
    with pytest.raises(QueryError, match="64") as refused:
        language.parse(" ".join("a" * 65))
    assert refused.value.position == 0


@pytest.mark.parametrize("opening", ["(", "-", "-("])
def test_a_search_is_at_most_16_deep(opening: str) -> None:
    times = 16 // len(opening)
    closing = ")" * (times * opening.count("("))
    assert language.parse(opening * times + "a" + closing).terms == (A,)
    with pytest.raises(QueryError, match="16") as refused:
        language.parse(opening * times + "(a)" + closing)
    assert refused.value.position == 16


def test_depth_counts_what_is_open_not_what_was_closed() -> None:
    assert len(language.parse(" ".join(["(a)"] * 40 + ["-b"] * 20)).terms) == 60
    assert language.parse("(a) -b sort:name").sort == Sort(Order.NAME)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("tag", Field.TAG),
        ("TAG", Field.TAG),
        ("Fav", Field.IS),
        ("stars", Field.RATING),
        ("nsfw", Field.EXPLICIT),
        ("Explicit", Field.EXPLICIT),
        ("generator", Field.ENGINE),
        ("engine", Field.ENGINE),
        ("tags", None),
        ("", None),
    ],
)
def test_a_field_has_its_name_and_its_synonyms(name: str, field: Field | None) -> None:
    assert language.find_field(name) is field


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (Query(), ""),
        (Query(All((A, Any((B, C))))), "a (b OR c)"),
        (Query(Any((A, All((B, C))))), "a OR b c"),
        (Query(Not(A)), "-a"),
        (Query(Not(All((A, B)))), "-(a b)"),
        (Query(Not(Any((A, B)))), "-(a OR b)"),
        (Query(A, Sort(Order.NAME)), "a sort:name"),
        (Query(None, Sort(Order.RANDOM, 0)), "sort:random:0"),
        (Query(A, Sort(Order.OLDEST), SimilarMeaning("sea")), 'a ~"sea" sort:oldest'),
        (Query(Any((A, B)), similar=SimilarMeaning("sea")), '(a OR b) ~"sea"'),
        (Query(Any((A, B)), Sort(Order.NAME)), "a OR b sort:name"),
        (Query(similar=SimilarPrompt(UUID)), f"like:{UUID}"),
        (Query(similar=LooksLikeText("red")), 'looks:"red"'),
        (Query(similar=LooksLikeImage(UUID)), f"looks:{UUID}"),
        (Query(Text("over the sea")), '"over the sea"'),
        (Query(Text("or")), "or"),
        (Query(Text("OR")), '"OR"'),
        (Query(Text("AND")), '"AND"'),
        (Query(Text("NOT")), '"NOT"'),
        (Query(Text("-a")), '"-a"'),
        (Query(Text("~a")), '"~a"'),
        (Query(Text("(a)")), '"(a)"'),
        (Query(Text(")")), '")"'),
        (Query(Text("a-~()")), "a-~()"),
        (Query(Text("a:b")), '"a:b"'),
        (Query(Text("1:b")), "1:b"),
        (Query(Text('say "hi" \\o/')), '"say \\"hi\\" \\\\o/"'),
        (Query(Text("sea", Field.PROMPT)), "prompt:sea"),
        (Query(Text("the sea", Field.NOTES)), 'notes:"the sea"'),
        (Query(Text("-a", Field.NEGATIVE)), "negative:-a"),
        (Query(NamedValue(Field.TAG, "OR")), "tag:OR"),
        (Query(NamedValue(Field.TAG, "a)")), 'tag:"a)"'),
        (Query(NamedValue(Field.TAG, "a>b")), "tag:a>b"),
        (Query(NamedValue(Field.LORA, "a>b")), 'lora:"a>b"'),
        (Query(NamedValue(Field.LORA, "a=b")), 'lora:"a=b"'),
        (Query(NamedValue(Field.LORA, "a", Interval(low=0.5))), "lora:a>=0.5"),
        (Query(NamedValue(Field.LORA, "a", Interval(0.5, 0.5))), "lora:a=0.5"),
        (Query(NamedValue(Field.EMBEDDING, "a b", Interval(high=1, without_high=True))), 'embedding:"a b"<1'),
        (Query(Number(Field.RATING, Interval(low=3))), "rating:>=3"),
        (Query(MadeBetween("2026-08", "2026-09")), "date:2026-08..2026-09"),
        (Query(AddedBetween("6h", "6h")), "added:6h"),
        (Query(AddedBetween("2026-11-29", None)), "added:2026-11-29.."),
        (Query(None, Sort(Order.ADDED)), "sort:added"),
        (Query(Size("=", 1024, 768)), "size:1024x768"),
        (Query(Size(">=", 1024, 768)), "size:>=1024x768"),
        (Query(Ratio(16, 9)), "size:16:9"),
        (Query(HasShape(Shape.SQUARE)), "size:square"),
        (Query(Number(Field.EXPLICIT, Interval(low=0.7))), "nsfw:>=0.7"),
        (Query(NamedValue(Field.ENGINE, "ComfyUI")), "generator:ComfyUI"),
        (Query(Is(State.FAVORITE)), "is:favorite"),
        (Query(Is(State.MISSING)), "is:missing"),
        (Query(Has(Thing.WORKFLOW)), "has:workflow"),
    ],
)
def test_a_query_is_written_like_this(query: Query, text: str) -> None:
    assert language.write(query) == text


@pytest.mark.parametrize(
    ("text", "always", "quoted"),
    [
        ("sea", False, "sea"),
        ("sea", True, '"sea"'),
        ("", False, '""'),
        ("a b", False, '"a b"'),
        ('a"', False, '"a\\""'),
        ('"a', False, '"\\"a"'),
        ("f(a)", False, "f(a)"),
        ("f)", False, '"f)"'),
        ("\\", False, "\\"),
    ],
)
def test_a_value_is_quoted_where_it_needs_quotes(text: str, always: bool, quoted: str) -> None:
    assert language.quote(text, always=always) == quoted


def test_the_parts_of_a_query_are_texts_that_stand_side_by_side() -> None:
    query = Query(All((A, Any((B, C)), Not(B))))
    assert language.format_parts(query) == [(A, "a"), (Any((B, C)), "(b OR c)"), (Not(B), "-b")]
    assert language.format_parts(Query(Any((A, B)))) == [(Any((A, B)), "(a OR b)")]
    assert language.format_parts(Query()) == []


@pytest.mark.parametrize(
    ("text", "begins", "suggestion"),
    [
        ("engine:", "engine: requires a value.", "generator:comfyui"),
        ("Generator:", "Generator: requires a value.", "generator:comfyui"),
        ("explicit:", "explicit: requires a value.", "nsfw:<0.7"),
        ("stars:", "stars: requires a value.", "rating:>=3"),
        ("looks:", "looks: requires a value.", "looks:4f9c0d2e"),
        ("order:", "order: requires a value.", "sort:newest"),
        ("similar:zz", "similar: requires the ID of an image", None),
        ("folder:/", "folder: requires the name of a folder.", "path:2026/"),
        ("order:newst", "order: does not accept “newst”. Use one of: newest, oldest", "sort:newest"),
        ("is:favorit", "is: does not accept “favorit”. Use one of: favorite, missing", "is:favorite"),
        ("explict:>0.5", "There is no search field “explict:”.", "nsfw:>0.5"),
        ("generater:x", "There is no search field “generater:”.", "generator:x"),
        ("enginee:x", "There is no search field “enginee:”.", "generator:x"),
        ("nsfw:2", "The NSFW score is a number from 0 to 1, for example nsfw:>=0.7.", "nsfw:<0.7"),
    ],
)
def test_a_refusal_names_the_field_as_typed_and_suggests_its_documented_name(
    text: str, begins: str, suggestion: str | None
) -> None:
    with pytest.raises(QueryError) as refused:
        language.parse(text)
    assert str(refused.value).startswith(begins)
    assert refused.value.suggestion == suggestion
