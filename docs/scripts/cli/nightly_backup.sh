#!/bin/sh
# Creates a backup, copies it to another drive, and keeps the newest seven copies: sh nightly_backup.sh FOLDER
set -eu
mkdir -p "$1"
backup=$(mysticanvas backup create --json | sed 's/.*"path":"\([^"]*\)".*/\1/')
cp -p "$backup" "$1"
ls -t "$1"/*.db | tail -n +8 | while IFS= read -r old; do rm "$old"; done
