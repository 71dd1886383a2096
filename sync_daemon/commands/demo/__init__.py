"""`sync-daemon demo`: a first reconcile, outside changes, a second one and an idle one, told as they happen."""
