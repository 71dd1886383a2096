"""The state store on SQLAlchemy Core: SQLite and PostgreSQL."""
