"""Sends requests through real server processes while these are killed, stopped, starved or fed nonsense, and counts what is left.

`python -m tests.torture --help` lists what it can do; `tests/server` runs short versions.
"""
