"""Servers of language models that the person names: asked over HTTP, trusted with nothing."""
