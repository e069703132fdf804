#!/bin/sh
# Copies all images made with a LoRA: sh copy_lora.sh LORA FOLDER
mysticanvas image download "$2" "lora:\"$1\""
