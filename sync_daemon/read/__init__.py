"""Stage 1: systems to snapshot pages, staged durably."""
