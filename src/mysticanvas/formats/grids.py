"""Detects grids: A1111 can save several images as one."""

import re

from mysticanvas.domain.generation import Recipe

_GRID_NAME = re.compile(r"(xyz_grid|xy_grid|grid|prompt_matrix)-\d{2,}.*", re.IGNORECASE)
_GRID_SCRIPT = re.compile(r"plot|matrix", re.IGNORECASE)


def is_grid(file_name: str, recipe: Recipe, width_px: int, height_px: int) -> bool:
    """Whether the image is a grid: its settings name a grid script, or it has a grid's file name and is at least
    twice as wide or high as the size in its settings."""
    script = recipe.params.get("Script")
    if isinstance(script, str) and _GRID_SCRIPT.search(script):
        return True
    if not _GRID_NAME.fullmatch(file_name) or not recipe.width or not recipe.height:
        return False
    fits = width_px >= recipe.width and height_px >= recipe.height
    return fits and (width_px >= 2 * recipe.width or height_px >= 2 * recipe.height)
