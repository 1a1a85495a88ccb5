"""The initial values of the source, kept: `init_weights` and what it is read from."""
