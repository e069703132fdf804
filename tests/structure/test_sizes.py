"""Functions, modules and classes that can be read at a glance.

`python -m tests.structure.test_sizes` prints the figures.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import pytest
from tests.structure.import_graph import SOURCE

MEDIAN_LINES = 8
P99_LINES = 40
MODULE_LINES = 500
ATTRIBUTES = 12

# What is larger, and why it may be. Each is named in an ADR.
LARGE_MODULES: dict[str, str] = {}
WIDE_CLASSES: dict[tuple[str, str], str] = {}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lines by (module, function) and by module; numbers of attributes by (module, class)."""

    functions: Mapping[tuple[str, str], int]
    modules: Mapping[str, int]
    attributes: Mapping[tuple[str, str], int]

    def function_lines(self, share: float) -> int:
        """So many lines at most have this share of all functions."""
        lines = sorted(self.functions.values())
        return lines[ceil(share * len(lines)) - 1]


def measure(source: Path) -> Sizes:
    functions, modules, attributes = dict[tuple[str, str], int](), dict[str, int](), dict[tuple[str, str], int]()
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        text = path.read_text("utf-8")
        modules[name] = len(text.splitlines())
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                functions[name, f"{node.name}:{node.lineno}"] = node.end_lineno - node.lineno + 1
            elif isinstance(node, ast.ClassDef):
                attributes[name, node.name] = len(set(_attributes(node)))
    return Sizes(functions, modules, attributes)


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    """Those that `__init__` sets; what `@dataclass` writes is no function of the class."""
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            own = function.args.args[0].arg
            for inner in ast.walk(function):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and _is(inner.value, own):
                    yield inner.attr


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def large_modules(sizes: Sizes) -> dict[str, int]:
    return {name: lines for name, lines in sizes.modules.items() if lines > MODULE_LINES}


def wide_classes(sizes: Sizes) -> dict[tuple[str, str], int]:
    return {name: count for name, count in sizes.attributes.items() if count > ATTRIBUTES}


@pytest.fixture(scope="module")
def sizes() -> Sizes:
    return measure(SOURCE)


def test_half_of_the_functions_are_short_and_hardly_one_is_long(sizes: Sizes) -> None:
    assert len(sizes.functions) > 1_000
    assert (sizes.function_lines(0.5) <= MEDIAN_LINES, sizes.function_lines(0.99) <= P99_LINES) == (True, True)


def test_modules_are_at_most_so_long(sizes: Sizes) -> None:
    assert {name: lines for name, lines in large_modules(sizes).items() if name not in LARGE_MODULES} == {}


def test_classes_keep_few_things(sizes: Sizes) -> None:
    assert {name: count for name, count in wide_classes(sizes).items() if name not in WIDE_CLASSES} == {}


def test_every_exception_is_still_needed(sizes: Sizes) -> None:
    assert set(LARGE_MODULES) == set(large_modules(sizes))
    assert set(WIDE_CLASSES) == set(wide_classes(sizes))


def test_what_is_too_large_is_seen(tmp_path: Path) -> None:
    wide = "".join(f"        self.a{number}: int = {number}\n" for number in range(12))
    text = f"class Fish:\n    def __init__(self):\n{wide}        self.b, other.c = 1, 2\n"
    data = "@dataclass\nclass Data:\n" + "".join(f"    a{number}: int\n" for number in range(20))
    tall = "def tall():\n" + "    pass\n" * 49
    (tmp_path / "fish.py").write_text(f"{text}{data}{tall}")
    (tmp_path / "long.py").write_text("\n" * 501)
    (tmp_path / "short.py").write_text("\n" * 500)
    sizes = measure(tmp_path)
    assert wide_classes(sizes) == {("fish.py", "Fish"): 13}
    assert large_modules(sizes) == {"long.py": 501}
    assert (sizes.function_lines(0.5), sizes.function_lines(0.99)) == (14, 50)


def show() -> None:
    sizes = measure(SOURCE)
    print(f"Functions: {len(sizes.functions)}, median {sizes.function_lines(0.5)} lines, 99 % ≤", end=" ")
    print(f"{sizes.function_lines(0.99)}")
    print(f"Modules: {len(sizes.modules)}, longest {max(sizes.modules.values())} lines")
    print(f"Larger: {large_modules(sizes)} {wide_classes(sizes)}")


if __name__ == "__main__":
    show()
