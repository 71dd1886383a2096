"""Webhooks as both vendors send them: collected, signed, delivered by a thread of their own, repeated until heard."""
