"""Which module of a source tree imports which, read with `ast`: also imports within functions."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
PACKAGE = "mysticanvas"


@dataclass(slots=True)
class Module:
    """`imports` are names of modules, of the tree or of others; those for type checkers alone are apart."""

    name: str
    path: Path
    tree: ast.Module
    imports: set[str] = field(default_factory=set)
    typing_imports: set[str] = field(default_factory=set)

    @property
    def all_imports(self) -> set[str]:
        return self.imports | self.typing_imports

    @property
    def parts(self) -> list[str]:
        return self.name.split(".")


def read_modules(source: Path = SOURCE) -> dict[str, Module]:
    """Every module below the folder, by name."""
    modules = {}
    for path in sorted(source.rglob("*.py")):
        names = path.relative_to(source).with_suffix("").parts
        name = ".".join(names[:-1] if names[-1] == "__init__" else names)
        modules[name] = Module(name, path, ast.parse(path.read_text("utf-8")))
    for module in modules.values():
        for node, for_typing in _import_nodes(module.tree):
            into = module.typing_imports if for_typing else module.imports
            into.update(_imported(node, module, modules))
    return modules


def _import_nodes(tree: ast.AST, for_typing: bool = False) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, for_typing
        elif isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield from _import_nodes(ast.Module(node.body, []), True)
            yield from _import_nodes(ast.Module(node.orelse, []), for_typing)
        else:
            yield from _import_nodes(node, for_typing)


def _imported(node: ast.Import | ast.ImportFrom, module: Module, modules: Mapping[str, Module]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    origin = _origin(node, module)
    for alias in node.names:
        inner = f"{origin}.{alias.name}"
        yield inner if inner in modules else origin


def _origin(node: ast.ImportFrom, module: Module) -> str:
    """The name after `from`, in full."""
    if not node.level:
        return node.module or ""
    package = module.parts if module.path.name == "__init__.py" else module.parts[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, node.module] if node.module else package)


def circles(modules: Mapping[str, Module]) -> list[list[str]]:
    """Modules that import each other, directly or through others; type checkers' imports do not count."""
    return circles_of({name: {one for one in module.imports if one in modules} for name, module in modules.items()})


def circles_of(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one node."""
    reached = {node: _reachable(graph, node) for node in graph}
    found = {
        frozenset(other for other in reached[node] if node in reached.get(other, ()))
        for node in graph
        if node in reached[node]
    }
    return sorted(sorted(one) for one in found if len(one) > 1)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """What can be reached from the node in one step or more."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph.get(node, ())
    return found
