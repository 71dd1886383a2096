"""Both APIs as local HTTP servers, with documented limits, errors and quirks, for tests and demo."""
