"""`sync-daemon init`: from two credentials to a configuration file and a first plan; writes to neither system."""
