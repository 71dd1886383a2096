"""Stage 4: operations to outcomes and new baselines."""
