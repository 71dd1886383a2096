"""What a run did, taken back: the inverse of its writes, as far as nothing has moved on since. Pure."""
