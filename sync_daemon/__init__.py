"""Keeps GoHighLevel contacts and an EmailOctopus list equal, both ways."""
