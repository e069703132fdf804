"""Random queries of every kind, for property tests."""

from hypothesis import strategies as st

from mysticanvas.domain.query import (
    AddedBetween,
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
    all_of,
    any_of,
    negate,
)

NAMED = (
    Field.MODEL, Field.LORA, Field.VAE, Field.REFINER, Field.EMBEDDING, Field.CONTROLNET, Field.UPSCALER, Field.TAG,
    Field.COLLECTION, Field.ENGINE, Field.SAMPLER,
)  # fmt: skip

# What a person may put into a value; spaces at its ends mean nothing.
VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).map(str.strip).filter(bool)


def _interval(low: float, high: float, kind: int) -> Interval:
    low, high = min(low, high), max(low, high)
    return (
        Interval(low, high), Interval(low, low), Interval(low=low), Interval(high=high),
        Interval(low=low, without_low=True), Interval(high=high, without_high=True),
    )[kind]  # fmt: skip


def intervals(least: float, most: float, places: int) -> st.SearchStrategy[Interval]:
    numbers = st.integers(int(least * 10**places), int(most * 10**places)).map(lambda n: n / 10**places)
    return st.builds(_interval, numbers, numbers, st.integers(0, 5))


# A weight is compared, not ranged.
weights = st.builds(_interval, st.integers(-20, 20).map(lambda n: n / 10), st.just(0.0), st.integers(1, 5)).filter(
    lambda i: i.low is None or i.high is None or i.low == i.high
)
dates = st.one_of(
    st.integers(1990, 2100).map(str),
    st.dates().filter(lambda d: 1990 < d.year < 2100).map(lambda d: d.isoformat()),
    st.dates().filter(lambda d: 1990 < d.year < 2100).map(lambda d: d.isoformat()[:7]),
    st.sampled_from(["today", "yesterday", "30d"]),
)
hours = st.integers(0, 9_999).map(lambda hours: f"{hours}h")
terms = st.one_of(
    st.builds(Text, VALUES, st.sampled_from([None, Field.PROMPT, Field.NEGATIVE, Field.NOTES])),
    st.builds(NamedValue, st.sampled_from(NAMED), VALUES),
    st.builds(NamedValue, st.sampled_from([Field.LORA, Field.EMBEDDING]), VALUES, weights),
    st.builds(NamedValue, st.just(Field.SEED), st.integers(0, 1 << 70).map(str)),
    st.builds(NamedValue, st.just(Field.ID), st.uuids().map(str)),
    VALUES.map(lambda v: v.replace("\\", "/").rstrip("/ ")).filter(lambda v: v.strip() == v != "")
    .map(lambda v: NamedValue(Field.PATH, v)),
    st.builds(Number, st.just(Field.RATING), intervals(0, 5, 0)),
    st.builds(Number, st.just(Field.STEPS), intervals(0, 200, 0)),
    st.builds(Number, st.just(Field.CFG), intervals(0, 30, 2)),
    st.builds(Number, st.just(Field.MP), intervals(0, 30, 1)),
    st.builds(Number, st.just(Field.EXPLICIT), intervals(0, 1, 2)),
    dates.map(lambda d: MadeBetween(d, d)),
    st.builds(MadeBetween, dates, st.none()),
    st.builds(MadeBetween, st.none(), dates),
    st.builds(MadeBetween, dates, dates),
    st.one_of(dates, hours).map(lambda d: AddedBetween(d, d)),
    st.builds(AddedBetween, st.one_of(dates, hours), st.none()),
    st.builds(AddedBetween, st.none(), st.one_of(dates, hours)),
    st.builds(AddedBetween, st.one_of(dates, hours), st.one_of(dates, hours)),
    st.builds(Size, st.sampled_from(["=", ">=", "<=", ">", "<"]), st.integers(0, 99_999), st.integers(0, 99_999)),
    st.builds(Ratio, st.integers(1, 40), st.integers(1, 40)),
    st.builds(HasShape, st.sampled_from(list(Shape))),
    st.builds(Is, st.sampled_from(list(State))),
    st.builds(Has, st.sampled_from(list(Thing))),
)  # fmt: skip
sorts = st.one_of(
    st.none(),
    st.builds(Sort, st.sampled_from([order for order in Order if order is not Order.SIMILARITY])),
    st.builds(Sort, st.just(Order.RANDOM), st.integers(0, 999_999_999)),
)


def trees(of: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.recursive(
        of,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(all_of),
            st.lists(inner, min_size=2, max_size=3).map(any_of),
            inner.map(negate),
        ),
        max_leaves=6,
    )


similar = st.none() | st.builds(SimilarMeaning, VALUES) | st.builds(SimilarPrompt, st.uuids().map(str))
similar |= st.builds(LooksLikeText, VALUES) | st.builds(LooksLikeImage, st.uuids().map(str))
queries = st.builds(Query, st.none() | trees(terms), sorts, similar)

__all__ = ["Not", "dates", "intervals", "queries", "sorts", "terms", "trees"]
