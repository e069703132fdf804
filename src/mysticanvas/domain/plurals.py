"""Numbers with their nouns, for messages and command output."""


def format_count(number: int, noun: str, plural: str | None = None) -> str:
    """Formats a number with a noun: “1 image”, “1,234 images”. `plural` is for nouns with an irregular plural."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
