"""The abstract interpreter: one Fact per original node, over functions, methods and module level."""
