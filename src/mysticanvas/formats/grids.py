"""Sheets of several images, as A1111 lays them out."""

import re

from mysticanvas.domain.generation import Recipe

_GRID_NAME = re.compile(r"(xyz_grid|xy_grid|grid|prompt_matrix)-\d{2,}.*", re.IGNORECASE)
_GRID_SCRIPT = re.compile(r"plot|matrix", re.IGNORECASE)


def is_grid(file_name: str, recipe: Recipe, width_px: int, height_px: int) -> bool:
    """A sheet of several images: its settings name the script that laid it out, or it has the name of a
    grid and is at least two of what it says that it shows."""
    script = recipe.params.get("Script")
    if isinstance(script, str) and _GRID_SCRIPT.search(script):
        return True
    if not _GRID_NAME.fullmatch(file_name) or not recipe.width or not recipe.height:
        return False
    fits = width_px >= recipe.width and height_px >= recipe.height
    return fits and (width_px >= 2 * recipe.width or height_px >= 2 * recipe.height)
