"""Numbers with their nouns."""

import pytest

from mysticanvas.domain.plurals import format_count


@pytest.mark.parametrize(
    ("number", "noun", "plural", "text"),
    [
        (0, "image", None, "0 images"),
        (1, "image", None, "1 image"),
        (1_234, "image", None, "1,234 images"),
        (1, "copy", "copies", "1 copy"),
        (2, "copy", "copies", "2 copies"),
    ],
)
def test_a_number_has_its_noun_in_the_singular_or_the_plural(
    number: int, noun: str, plural: str | None, text: str
) -> None:
    assert format_count(number, noun, plural) == text
