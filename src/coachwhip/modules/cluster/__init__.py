"""Modules for several servers that know of one another: heartbeats sent, heartbeats heard."""
