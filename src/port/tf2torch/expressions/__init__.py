"""Expressions by their kind: calls, constants, subscripts, attributes."""
