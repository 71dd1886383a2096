"""From settings to what works: the state store, a pair's two systems, the clock. The only room that knows them all."""
