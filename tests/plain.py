"""What requests to our own servers trust, which speak plain HTTP."""

import ssl

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nobody: a client that isn't told whom to trust reads the machine's authorities, 30 ms of CPU each time."""
