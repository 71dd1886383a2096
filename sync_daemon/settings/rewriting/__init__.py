"""Changing a configuration file's text as little as possible: what isn't changed stays as somebody wrote it."""
