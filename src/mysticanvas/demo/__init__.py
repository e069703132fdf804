"""A small library of pictures with real metadata, to look around in."""
