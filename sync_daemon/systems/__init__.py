"""One folder for each outside system, all with the same rooms."""
