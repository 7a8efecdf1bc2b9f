"""Wire formats without sockets: what bytes mean and which bytes are refused. See README.md for the laws of this room."""
