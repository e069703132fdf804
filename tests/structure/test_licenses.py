"""LICENSES/ has the text of everything that the wheel contains, and a true table of what it installs."""

import json
from pathlib import Path

import build_web
from tools import dependency_licenses

ROOT = Path(__file__).parents[2]
LICENSES = ROOT / "LICENSES"
DATA = ROOT / "src" / "mysticanvas" / "ml" / "data"
BUNDLED = json.loads((LICENSES / "bundled.json").read_text("utf-8"))


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_npm_package_in_the_built_gallery_is_listed_with_the_text_of_its_license() -> None:
    # Vite writes this file while it builds, from the modules that are really in the result.
    built = json.loads((build_web.STATIC / "licenses.json").read_text("utf-8"))
    listed = {one["npm"]: one for one in BUNDLED if "npm" in one}
    assert {one["name"] for one in built} == set(listed)
    for package in built:
        one = listed[package["name"]]
        assert package["identifier"] in one["license"].split(" AND ")
        assert words(package["text"]) == words((LICENSES / one["text"]).read_text("utf-8")), one["name"]


def test_every_data_file_in_the_package_is_listed() -> None:
    files = {path.name for path in DATA.iterdir() if not path.name.startswith("NOTICE")}
    assert files == {name for one in BUNDLED for name in one.get("files", ())}
    notices = "".join(path.read_text("utf-8") for path in DATA.glob("NOTICE*"))
    assert [name for name in sorted(files) if name not in notices] == []


def test_every_text_belongs_to_something_and_is_complete() -> None:
    assert {path.name for path in LICENSES.glob("*.txt")} == {one["text"] for one in BUNDLED}
    assert "TERMS AND CONDITIONS FOR USE" in (LICENSES / "Apache-2.0.txt").read_text("utf-8")
    assert [one["name"] for one in BUNDLED if len((LICENSES / one["text"]).read_text("utf-8")) < 900] == []


def test_the_table_lists_what_is_installed_with_the_license_of_each() -> None:
    installed = {row.package: row for row in dependency_licenses.installed_rows()}
    table = {row.package: row for row in dependency_licenses.table_rows()}
    assert len(installed) > 40
    assert sorted(set(installed) - set(table)) == [], "python tools/dependency_licenses.py"
    assert [name for name, row in table.items() if name not in installed and not row.only] == []
    for name, row in installed.items():
        # The wording differs between versions of a package.
        found, wanted = (dependency_licenses.families(one.license) for one in (row, table[name]))
        assert found <= wanted, name


def test_no_dependency_demands_more_than_that_it_can_be_replaced() -> None:
    found = set().union(*(dependency_licenses.families(row.license) for row in dependency_licenses.table_rows()))
    assert found <= {"MIT", "BSD", "Apache", "ISC", "PSF", "Zlib", "CC0", "MPL", "LGPL", "any"}


def test_the_same_license_has_the_same_name_however_it_is_written() -> None:
    families = dependency_licenses.families
    assert families("MIT License") == families("MIT") == families("MIT-0") == {"MIT"}
    assert families("Apache Software License; MIT License") == {"Apache", "MIT"}
    assert families("GNU Lesser General Public License v3 or later (LGPLv3+)") == {"LGPL"}
    assert families("GNU Affero General Public License v3") == {"AGPL"}
    assert families("BSD-3-Clause AND 0BSD") == {"BSD"}
    assert families("UNKNOWN") == {"UNKNOWN"}
