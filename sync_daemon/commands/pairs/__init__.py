"""`sync-daemon pairs`: which pairs there are, and those whose settings are in the database."""
