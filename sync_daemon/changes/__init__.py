"""Stage 2: snapshots and baselines to changes; pure."""
