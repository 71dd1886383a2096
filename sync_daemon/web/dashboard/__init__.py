"""The dashboard: server-rendered pages at `/`, behind a login."""
