"""The operations of GHL that integration marketplaces offer, as data; one function turns any of them into a request."""
