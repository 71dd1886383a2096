"""Figures beside their floors; run by `make bench`, no tests."""
