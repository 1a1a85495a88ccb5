"""One structural construct each: functional models, classes, Sequential, initial values, control flow."""
