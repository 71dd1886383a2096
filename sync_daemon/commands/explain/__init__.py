"""`sync-daemon explain`: one person, in tables for people or as JSON."""
