#!/bin/sh
# Tags images with the name of the folder that they are in: sh tag_by_folder.sh [SEARCH]
set -eu
mysticanvas search --paths "$*" | sed 's|/[^/]*$||' | sort -u | while IFS= read -r folder; do
    quoted=$(printf '%s' "$folder" | sed 's/[\\"]/\\&/g')
    mysticanvas image tag "${folder##*/}" "path:\"$quoted\"" </dev/null
done
