#!/bin/sh
# Exports images with their parameters and tags as CSV: sh export_csv.sh images.csv [SEARCH]
mysticanvas image export "$@"
