"""`--interactive`: each hunk of a translation is accepted, skipped or edited, and the imports follow."""
