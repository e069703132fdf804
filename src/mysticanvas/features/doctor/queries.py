"""Counts and versions for the support bundle."""

from mysticanvas.db.database import ReadTx

_COUNTS = {
    "images": "SELECT count(*) FROM generations",
    "in Trash": "SELECT count(*) FROM generations WHERE deleted_at IS NOT NULL",
    "excluded": "SELECT count(*) FROM generations WHERE excluded_at IS NOT NULL",
    "missing": "SELECT count(*) FROM generations WHERE missing_at IS NOT NULL",
    "files": "SELECT count(*) FROM generation_files",
    "failures": "SELECT count(*) FROM failures",
    "folders": "SELECT count(*) FROM roots",
    "offline folders": "SELECT count(*) FROM roots WHERE state = 'offline'",
    "models": "SELECT count(*) FROM models",
    "tags": "SELECT count(*) FROM tags",
    "collections": "SELECT count(*) FROM collections",
    "templates": "SELECT count(*) FROM prompt_templates",
    "operations": "SELECT count(*) FROM operations",
    "events": "SELECT count(*) FROM events",
}


def count_rows(tx: ReadTx) -> dict[str, int]:
    """Row counts by name, and job counts by kind and status."""
    found = {name: int(tx.value(sql)) for name, sql in _COUNTS.items()}
    for row in tx.all("SELECT kind, status, count(*) AS jobs FROM jobs GROUP BY kind, status"):
        found[f"jobs {row['kind']} {row['status']}"] = row["jobs"]
    return found


def read_versions(tx: ReadTx) -> dict[str, object]:
    """The SQLite version, the schema version (`user_version`) and the size of the database in pages."""
    names = ("user_version", "page_count", "page_size", "freelist_count")
    return {"sqlite": tx.value("SELECT sqlite_version()")} | {name: tx.value(f"PRAGMA {name}") for name in names}
