"""Copies all images made with a LoRA: python copy_lora.py LORA FOLDER"""

import shutil
import sys
from pathlib import Path

from mysticanvas import Library

lora, target = sys.argv[1], Path(sys.argv[2])
target.mkdir(parents=True, exist_ok=True)
with Library.open() as library:
    for image in library.search(f'lora:"{lora}"'):
        if image.path is not None and not image.missing:
            copy = target / image.path.name
            if copy.exists():  # Another folder has a file of the same name.
                copy = target / f"{image.path.stem} {image.uuid}{image.path.suffix}"
            shutil.copy2(image.path, copy)
