"""EmailOctopus API v2 as a local server: every operation of its OpenAPI, over a world held in memory."""
