"""Manners shared by every HTTP system: session, rate limits, retries, error classes."""
