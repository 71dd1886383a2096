"""GoHighLevel: wire, mapping, client, reader, writer."""
