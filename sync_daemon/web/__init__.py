"""The service over HTTP: webhooks come in, health and figures go out."""
