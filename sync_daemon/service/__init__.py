"""The long-running service: what is due when, one thread for each pair, housekeeping, figures."""
