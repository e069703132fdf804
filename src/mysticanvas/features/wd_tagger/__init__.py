"""Tags by a WD tagger model that looks at the image."""
