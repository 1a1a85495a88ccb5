"""Run two versions of one model, each in its own process, and compare their numbers.

The modules here import only numpy and each other (relatively), so that a child process can load this
folder by its path, in an interpreter in which `port` itself is not installed.
"""
