"""Image analysis: visual search and the NSFW score."""
