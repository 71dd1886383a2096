"""`sync-daemon check`: what is wrong with a configuration, and how to mend it; changes nothing."""
