"""MystiCanvas: the library for the images you generate."""

__version__ = "0.1.0"
