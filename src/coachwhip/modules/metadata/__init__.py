"""Modules that find out or set facts about an answer: environment, types by content."""
