"""`sync-daemon ghl`: the operations catalogue on the command line."""
