"""ComfyUI graphs: from a workflow to generation data."""
