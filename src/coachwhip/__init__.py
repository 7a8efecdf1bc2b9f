"""Coachwhip, an Apache-compatible web server in pure Python."""

__version__ = "0.1.0"

#: The Apache release whose behaviour is followed; version gates of configurations and of programs that drive httpd read it.
APACHE_VERSION = (2, 4, 71)

#: Apache's module magic number, major and minor, as its 2.4 line reports it.
MODULE_MAGIC = (20120211, 142)
