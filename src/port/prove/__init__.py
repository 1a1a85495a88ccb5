"""Rows proven by their samples: each is translated, run in both frameworks in child processes, and compared."""
