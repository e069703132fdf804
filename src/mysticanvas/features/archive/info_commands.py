"""`library info`: where the library is, and what it contains."""

from mysticanvas.cli.client import connect
from mysticanvas.cli.grammar import Commands
from mysticanvas.cli.options import Json, Library, load_settings
from mysticanvas.cli.output import out, print_json, table

COMMANDS = Commands()


@COMMANDS.add("library info")
def info(library: Library = None, json: Json = False) -> None:
    """Show where the library is, its version, and the number of images and folders."""
    settings = load_settings(library)
    with connect(settings) as client:
        status = client.get("/api/v1/status")
    found = {
        "library": str(settings.library),
        "version": status["app_version"],
        "images": status["total"],
        "folders": [
            {name: root[name] for name in ("path", "state", "images", "missing")} for root in status["folders"]
        ],
        "jobs": status["jobs"],
    }
    if json:
        print_json(found)
        return
    rows = table()
    rows.add_row("Library", found["library"])
    rows.add_row("Version", found["version"])
    rows.add_row("Images", f"{found['images']:,}")
    for root in found["folders"]:
        rows.add_row("Folder", f"{root['path']} ({root['images']:,} images, {root['missing']:,} missing)")
    rows.add_row("Jobs", ", ".join(f"{count:,} {name}" for name, count in found["jobs"].items()))
    out.print(rows, markup=False)
