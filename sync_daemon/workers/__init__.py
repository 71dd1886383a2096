"""Many processes over PostgreSQL: jobs by Procrastinate, of which one at a time works on a pair."""
