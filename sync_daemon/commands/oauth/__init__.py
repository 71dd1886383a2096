"""`sync-daemon oauth`: logins at GHL."""
