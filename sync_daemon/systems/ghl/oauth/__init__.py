"""Tokens of OAuth: how they are got, and made new before they end."""
