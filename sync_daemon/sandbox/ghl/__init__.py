"""GoHighLevel as a local HTTP server: its contacts and what hangs on them, its search, its limits, its quirks."""
