"""EmailOctopus: wire, mapping, client, reader, writer."""
