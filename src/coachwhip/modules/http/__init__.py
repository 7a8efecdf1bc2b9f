"""Modules of plain HTTP semantics: the media type, language and coding of a file by its name."""
