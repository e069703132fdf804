"""Bytes → how it was made. Pure: no file is opened here."""
