"""The one pipeline, from a parsed head to a reply, and replay. See README.md for its stations and laws."""
