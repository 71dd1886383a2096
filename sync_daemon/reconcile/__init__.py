"""Stage 3: changes and policy to decisions and operations; pure."""
