"""The migrations of the schema: files `migrations/NNNN_what.sql`."""

from importlib import resources


def load_migrations() -> list[str]:
    """The scripts in order; the n-th migrates version n - 1 to n."""
    folder = resources.files("mysticanvas.db") / "migrations"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    return [entry.read_text("utf-8") for entry in files]
