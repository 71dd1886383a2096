"""The mapping as a form: what the file says as inputs, and what was put into them as what the file is to say. Pure."""
