"""Imports point down, tasks have no database, and SQL has its places.

import-linter checks most of this too, by the contracts of pyproject.toml; here are also SQL text, circles of single
modules, and the share of imports that stay within a feature: `python -m tests.structure.test_layers` prints it.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.structure.import_graph import PACKAGE, Module, circles, circles_of, read_modules

Modules = Mapping[str, Module]

# From top to bottom. Packages of one layer do not import each other.
LAYERS = (
    {"library"},
    {"app"},
    {"features", "demo"},
    {"search"},
    {"edits"},
    {"jobs", "worker"},
    {"http", "cli"},
    {"db"},
    {"formats", "imaging", "ml", "llm", "fs"},
    {"settings"},
    {"domain"},
)
RANKS = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}

APSW_USERS = re.compile(r"mysticanvas\.(db|edits\.changesets|features\.(backups|doctor))(\.|$)")
SQL_PLACES = re.compile(r"mysticanvas\.((db|edits|jobs|search)(\.|$)|features\.\w+\.(\w+_)?queries$)")
SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(INTO|OR)\s|REPLACE\s+INTO\s|UPDATE\s+\w+\s|DELETE\s+FROM\s|WITH\s+(RECURSIVE\s+)?\w+.*\sAS\s"
    r"|CREATE\s+(\w+\s+)*(TABLE|INDEX|TRIGGER|VIEW)\s|(DROP|ALTER)\s+TABLE\s|PRAGMA\s|VACUUM\b|ATTACH\s|SAVEPOINT\s)",
    re.DOTALL,
)

# A task may import these, and modules of its own feature that import nothing but these and each other.
TASK_PACKAGES = {"formats", "imaging", "ml", "llm", "fs", "domain"}
NOT_IN_A_TASK = {"apsw", "sqlite3", "fastapi", "starlette", "uvicorn", "typer", "rich", "httpx"}
IS_TASK = re.compile(r"mysticanvas\.features\.\w+\.(\w+_)?task$")
LEAST_SHARE = 0.70
MOST_PAIRS = 25


def upward_imports(modules: Modules) -> list[str]:
    """ "importer → imported" for each import from a layer above, or beside."""
    return [
        f"{module.name} → {imported}"
        for module in modules.values()
        for imported in sorted(module.all_imports)
        if (own := _package(module.name)) is not None and (other := _package(imported)) is not None and own != other
        if RANKS[other] <= RANKS[own]
    ]


def unplaced_packages(modules: Modules) -> set[str]:
    """What lies directly in the package and has no layer."""
    return {package for name in modules if (package := _package(name)) is not None} - set(RANKS)


def _package(name: str) -> str | None:
    """The second part of a module's name; None for the package itself and for other libraries."""
    parts = name.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 else None


def wrong_apsw_imports(modules: Modules) -> list[str]:
    return [
        name
        for name, module in modules.items()
        if any(one.split(".")[0] == "apsw" for one in module.all_imports) and not APSW_USERS.match(name)
    ]


def sql_elsewhere(modules: Modules) -> list[str]:
    """ "module: the beginning" of each text that reads like SQL, in a module that should have none."""
    return [
        f"{name}: {' '.join(text.split())[:60]}"
        for name, module in modules.items()
        if not SQL_PLACES.match(name)
        for text in _texts(module.tree)
        if SQL.match(text)
    ]


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def impure_tasks(modules: Modules) -> list[str]:
    """ "task: module → imported" for each import through which a task reaches what it must not."""
    return [
        f"{name}: {importer} → {imported}"
        for name in modules
        if IS_TASK.match(name)
        for importer, imported in _impure_imports(modules, name)
    ]


def _impure_imports(modules: Modules, task: str) -> Iterator[tuple[str, str]]:
    own = task.rpartition(".")[0] + "."
    seen = {task}
    waiting = [task]
    while waiting:
        module = modules[waiting.pop()]
        for imported in sorted(module.imports):
            package = _package(imported)
            if imported.startswith(own) and imported in modules:
                waiting += {imported} - seen
                seen.add(imported)
            elif imported.split(".")[0] in NOT_IN_A_TASK or (package is not None and package not in TASK_PACKAGES):
                yield module.name, imported


def feature_imports(modules: Modules) -> tuple[int, dict[tuple[str, str], int]]:
    """How many imports stay within their feature, and how many lead from one to another. What every feature
    imports (`features/base.py`) belongs to none."""
    inside, across = 0, dict[tuple[str, str], int]()
    for module in modules.values():
        for imported in module.all_imports:
            pair = _feature(module.name), _feature(imported)
            if None in pair:
                continue
            if pair[0] == pair[1]:
                inside += 1
            else:
                across[pair] = across.get(pair, 0) + 1  # type: ignore[index,arg-type]
    return inside, across


def _feature(name: str) -> str | None:
    parts = name.split(".")
    return parts[2] if parts[:2] == [PACKAGE, "features"] and len(parts) > 3 else None


def share_inside(modules: Modules) -> float:
    inside, across = feature_imports(modules)
    return inside / max(1, inside + sum(across.values()))


def allowed_pairs() -> set[tuple[str, str]]:
    """Those of the contract in pyproject.toml."""
    settings = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    [contract] = [one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "independence"]
    pair = re.compile(r"mysticanvas\.features\.(\w+)\.\*\* -> mysticanvas\.features\.(\w+)\.\*\*")
    return {(found[1], found[2]) for line in contract["ignore_imports"] if (found := pair.fullmatch(line))}


# -- the product ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def modules() -> Modules:
    return read_modules()


def test_no_import_points_up(modules: Modules) -> None:
    upward = upward_imports(modules)
    assert upward == []


def test_every_package_has_a_layer(modules: Modules) -> None:
    assert unplaced_packages(modules) == set()
    assert {_package(name) for name in modules} - {None} == set(RANKS)


def test_no_modules_import_each_other(modules: Modules) -> None:
    assert circles(modules) == []


def test_apsw_is_imported_only_where_sqlite_itself_is_meant(modules: Modules) -> None:
    assert wrong_apsw_imports(modules) == []


def test_sql_stands_only_in_its_places(modules: Modules) -> None:
    assert sql_elsewhere(modules) == []


def test_tasks_reach_no_database_and_no_server(modules: Modules) -> None:
    assert [name for name in modules if IS_TASK.match(name)] != []
    assert impure_tasks(modules) == []


def test_most_imports_between_feature_modules_stay_within_the_feature(modules: Modules) -> None:
    assert share_inside(modules) >= LEAST_SHARE


def test_features_import_each_other_only_as_the_contract_allows(modules: Modules) -> None:
    _, across = feature_imports(modules)
    assert set(across) <= allowed_pairs()


def test_the_features_that_may_import_each_other_are_few_and_make_no_circle() -> None:
    pairs = allowed_pairs()
    assert 0 < len(pairs) <= MOST_PAIRS
    graph: dict[str, set[str]] = {feature: set() for pair in pairs for feature in pair}
    for importer, imported in pairs:
        graph[importer].add(imported)
    assert circles_of(graph) == []


# -- that it would see ------------------------------------------------------------------------


def planted(folder: Path, files: dict[str, str]) -> Modules:
    """The modules of a made-up tree; every folder in it is a package."""
    for name, text in files.items():
        path = folder / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in [folder / PACKAGE, *(folder / PACKAGE).rglob("*")]:
        if path.is_dir() and not (path / "__init__.py").exists():
            (path / "__init__.py").touch()
    return read_modules(folder)


CLEAN = {
    "app/main.py": "import mysticanvas.features.fish.routes\n",
    "features/base.py": "",
    "features/fish/routes.py": "from mysticanvas.features.fish import queries\nfrom mysticanvas.search import index\n",
    "features/fish/queries.py": "import mysticanvas.db.rows\nALL = 'SELECT id FROM fish'\n",
    "features/fish/task.py": "from mysticanvas.features.fish.types import Fish\nfrom mysticanvas.fs import scan\n",
    "features/fish/types.py": "from mysticanvas.domain import words\n",
    "features/bird/routes.py": "",
    "search/index.py": "from mysticanvas.db import rows\n",
    "db/rows.py": "import apsw\n",
    "edits/changesets.py": "import apsw\n",
    "fs/scan.py": "from mysticanvas.domain import words\n",
    "domain/words.py": "",
}


def test_a_tree_that_keeps_the_rules_is_not_blamed(tmp_path: Path) -> None:
    tree = planted(tmp_path, CLEAN)
    assert [upward_imports(tree), circles(tree), wrong_apsw_imports(tree), sql_elsewhere(tree), impure_tasks(tree)] == [
        [], [], [], [], []
    ]  # fmt: skip
    assert (unplaced_packages(tree), share_inside(tree)) == (set(), 1.0)


@pytest.mark.parametrize(
    ("rule", "name", "text", "found"),
    [
        (upward_imports, "search/names.py", "from mysticanvas.features.fish import queries", "features.fish.queries"),
        (upward_imports, "domain/more.py", "def later():\n    import mysticanvas.db.rows", "mysticanvas.db.rows"),
        (upward_imports, "fs/more.py", "from ..imaging import hashes", "mysticanvas.imaging"),
        (
            upward_imports,
            "db/more.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mysticanvas.app import main",
            "mysticanvas.app.main",
        ),
        (unplaced_packages, "sundry/things.py", "", "sundry"),
        (circles, "domain/words.py", "from mysticanvas.fs import scan", "mysticanvas.fs.scan"),
        (wrong_apsw_imports, "features/bird/nest.py", "from apsw import Connection", "mysticanvas.features.bird.nest"),
        (wrong_apsw_imports, "edits/undo.py", "import apsw", "mysticanvas.edits.undo"),
        (
            sql_elsewhere,
            "features/bird/service.py",
            "X = '''\n   SELECT id\n     FROM birds'''",
            "SELECT id FROM birds",
        ),
        (sql_elsewhere, "app/setup.py", "X = f'UPDATE birds SET name = {1}'", "UPDATE birds"),
        (sql_elsewhere, "http/pages.py", "X = 'WITH old AS (SELECT 1) SELECT 2'", "WITH old"),
        (sql_elsewhere, "cli/out.py", "X = 'CREATE TEMP TABLE birds (id)'", "CREATE TEMP TABLE"),
        (impure_tasks, "features/fish/task.py", "from mysticanvas.db import rows", "mysticanvas.db.rows"),
        (impure_tasks, "features/fish/types.py", "from mysticanvas.db import rows", "fish.types → mysticanvas.db.rows"),
        (impure_tasks, "features/bird/fly_task.py", "import mysticanvas.features.fish.types", "features.fish.types"),
        (impure_tasks, "features/bird/task.py", "import apsw", "apsw"),
    ],
)
def test_a_planted_fault_is_seen(
    tmp_path: Path, rule: Callable[[Modules], object], name: str, text: str, found: str
) -> None:
    assert found not in str(rule(planted(tmp_path / "clean", CLEAN)))
    assert found in str(rule(planted(tmp_path / "faulty", CLEAN | {name: text})))


def test_a_module_that_only_a_type_checker_imports_closes_no_circle(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mysticanvas.fs import scan\n"
    assert circles(planted(tmp_path, CLEAN | {"domain/words.py": text})) == []


def test_imports_that_leave_their_feature_lower_the_share(tmp_path: Path) -> None:
    text = "import mysticanvas.features.fish.types\nimport mysticanvas.features.fish.queries\n"
    tree = planted(tmp_path, CLEAN | {"features/bird/routes.py": text})
    assert (share_inside(tree), feature_imports(tree)) == (0.5, (2, {("bird", "fish"): 2}))


def test_a_circle_of_features_is_seen() -> None:
    assert circles_of({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def show() -> None:
    tree = read_modules()
    inside, across = feature_imports(tree)
    print(f"Imports between feature modules: {inside + sum(across.values())}, {share_inside(tree):.1%} in one feature")
    print(f"Pairs of features: {len(across)}, allowed are {len(allowed_pairs())}")
    for (importer, imported), count in sorted(across.items(), key=lambda item: -item[1]):
        print(f"  {importer} → {imported}: {count}")


if __name__ == "__main__":
    show()
