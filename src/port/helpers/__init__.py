"""Short source texts written once into a ported file when its framework lacks something.

`torch/<name>.py` and `tf/<name>.py` hold one function or class each, below the imports that it needs. A first line
`# needs: a b` names helpers that it uses. They are read as text, never imported: see `tests/test_helpers.py`.
"""
