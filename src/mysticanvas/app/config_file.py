"""Changes the configuration file. Its other lines, with their comments, are kept."""

import json
import re
from pathlib import Path
from typing import Any

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.fs.durable import replace
from mysticanvas.settings import find_config_file, read_config_file


def set_value(name: str, value: Any) -> Path:
    """Writes one setting, and returns the path of the file. Raises `InvalidInputError` if the file is not valid."""
    # JSON texts, numbers and Booleans are also valid TOML.
    text = json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
    return _change_line(name, f"{name} = {text}")


def remove_value(name: str) -> Path:
    """Removes a setting, so that its default applies. Returns the path of the file."""
    return _change_line(name, None)


def _change_line(name: str, line: str | None) -> Path:
    path = find_config_file()
    if path is None:
        raise InvalidInputError(
            "This account has no home folder. Specify a configuration file with MYSTICANVAS_CONFIG."
        )
    read_config_file()
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    kept = [one for one in lines if not re.match(rf"\s*{name}\s*=", one)]
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.new")
    written.write_text("".join(f"{one}\n" for one in [*kept, *([line] if line else [])]), "utf-8")
    replace(written, path)
    return path
