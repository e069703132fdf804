"""Creates a backup, copies it to another drive, and keeps the newest seven copies: python nightly_backup.py FOLDER"""

import shutil
import sys
from pathlib import Path

from mysticanvas import Library

KEPT = 7

target = Path(sys.argv[1])
target.mkdir(parents=True, exist_ok=True)
with Library.open() as library:
    backup = library.back_up()
shutil.copy2(backup, target / backup.name)
for old in sorted(target.glob("*.db"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
    old.unlink()
