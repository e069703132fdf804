#!/bin/sh
# A hook that copies each new image to a folder: mysticanvas hook add image.added -- sh react.sh FOLDER
# It gets {…, "uuids": ["4f9c0d2e-…", …]} on standard input.
sed 's/.*"uuids": *\[\([^]]*\)\].*/\1/' | tr -d '" ' | tr ',' '\n' | mysticanvas image download "$1" -
