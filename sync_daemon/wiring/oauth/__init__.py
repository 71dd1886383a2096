"""OAuth put together: apps of the configuration, tokens of the store, GHL's authority."""
