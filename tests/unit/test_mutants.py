"""Which small faults `dev.py mutate` puts into a module, and which it draws."""

import pytest
from tools import mutants
from tools.mutants import Mutant


def lines(source: str) -> set[str]:
    """The first line that differs, of every mutant that changes something."""
    text = source.encode()
    found = [mutant for mutant in mutants.mutants("planted.py", text) if mutants.changes(text, mutant)]
    return {mutants.changed_lines(text, mutant)[1] for mutant in found}


@pytest.mark.parametrize(
    ("source", "mutated"),
    [
        ("a = b < c", {"a = b <= c"}),
        ("a = b is not c", {"a = b is c"}),
        ("a = b not in c", {"a = b in c"}),
        ("a = b < c < d", {"a = b <= c < d", "a = b < c <= d"}),
        ("a = b and c", {"a = b or c"}),
        ("a = not b", {"a =  b"}),
        ("a = (b) * (c)", {"a = (b) / (c)"}),
        ("a = 'x' + b", {'a = "" + b'}),
        ("a = 7", {"a = 8", "a = 6"}),
        ("a = True", {"a = False"}),
        ("a = 'x'", {'a = ""'}),
        ("a = ''", {'a = "XX"'}),
        ("a = f'{b}'", {'a = ""'}),
        ("a = f'{b < c}'", {'a = ""', "a = f'{b <= c}'"}),
        ("a = b.strip()", {"a = b"}),
        ("a = b if c else d", {"a = b if not (c) else d"}),
        ("a = [b for b in c if b > d]", {"a = [b for b in c if not (b > d)]", "a = [b for b in c if b >= d]"}),
        ("a.b = c", {"pass"}),
        ("a += b", {"pass", "a -= b"}),
        ("a(b)", {"pass"}),
        ("raise A", {"pass"}),
        ("def a(b=1): pass", {"def a(b=2): pass", "def a(b=0): pass"}),
        ("def a(): return b", {"def a(): return None"}),
        ("while a:\n  break", {"while not (a):", "continue"}),
        ("match a:\n  case b if c: pass", {"case b if not (c): pass"}),
    ],
)
def test_a_mutant_differs_in_one_place(source: str, mutated: set[str]) -> None:
    assert lines(source) == mutated


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "def a():\n  'A docstring.'",
        "def a(b: 'B' | 1) -> 'C': pass",
        "a: 'A | 1'",
        "@dataclass(frozen=True)\nclass A: pass",
        "assert a < 1",
        "log.info('sent', extra={'bytes': 1})",
        "__all__ = ['a']",
        "A = TypeVar('A')",
        "if __name__ == '__main__': pass",
        "def a(): return None",
    ],
)
def test_what_no_test_can_notice_is_left_alone(source: str) -> None:
    assert lines(source) == set()


@pytest.mark.parametrize(
    ("sql", "mutated"),
    [
        ("SELECT id FROM t WHERE a = :a AND b IS NULL", {
            "SELECT id FROM t WHERE a <> :a AND b IS NULL",
            "SELECT id FROM t WHERE a = :a OR b IS NULL",
            "SELECT id FROM t WHERE a = :a AND b IS NOT NULL",
        }),
        ("SELECT id FROM t ORDER BY id DESC LIMIT 1", {
            "SELECT id FROM t ORDER BY id ASC LIMIT 1",
            "SELECT id FROM t ORDER BY id DESC LIMIT 2",
        }),
        ("UPDATE t SET a = :a WHERE b <= 3", {
            "UPDATE t SET a = :a WHERE b < 3",
            "UPDATE t SET a = :a WHERE b <= 4",
        }),
        ("INSERT OR IGNORE INTO t VALUES (:a1)", set()),
        ("SELECT a -> '$.b' FROM t", set()),
    ],
)  # fmt: skip
def test_sql_is_mutated_as_sql(sql: str, mutated: set[str]) -> None:
    assert lines(f'a = "{sql}"') == {f'a = "{text}"' for text in mutated}


def test_text_before_a_mutant_may_be_in_any_script() -> None:
    assert lines("夜 = '景' < b") == {"夜 = '景' <= b", '夜 = "" < b'}


def test_a_diff_shows_the_line_before_and_after() -> None:
    source = b"a = 1\nb = c < d\n"
    [mutant] = [one for one in mutants.mutants("planted.py", source) if one.operator == "comparison"]
    assert "-b = c < d\n+b = c <= d" in mutants.diff(source, mutant)


def population(source: str) -> list[tuple[bytes, Mutant]]:
    text = source.encode()
    return [(text, mutant) for mutant in mutants.mutants("planted.py", text)]


def drawn(source: str, size: int | None, seed: int) -> list[str]:
    sample = mutants.sample(population(source), size, seed)
    return [mutants.changed_lines(text, mutant)[1] for text, mutant in sample]


NUMBERS = "\n".join(f"a{number} = {number}" for number in range(100))


def test_a_seed_always_draws_the_same_sample() -> None:
    sample = drawn(NUMBERS, 20, seed=1)
    assert len(sample) == len(set(sample)) == 20
    assert drawn(NUMBERS, 20, seed=1) == sample
    assert drawn(NUMBERS, 20, seed=2) != sample


def test_a_sample_keeps_its_mutants_when_other_lines_change() -> None:
    sample = drawn(NUMBERS, 20, seed=1)
    kept = set(sample) & set(drawn(f"b = 'new'\n{NUMBERS}", 20, seed=1))
    assert len(kept) >= 19


def test_equal_lines_are_mutants_of_their_own() -> None:
    assert len(drawn("a = b < c\na = b < c", None, seed=1)) == 2


def test_a_sample_has_no_mutant_that_is_no_python() -> None:
    # The mutant `""` of 'x' would end the f-string.
    assert drawn("a = f\"{b == 'x'}\"", None, seed=1) == ['a = ""', "a = f\"{b != 'x'}\""]
