"""Tags from a WD tagger, an image model."""
