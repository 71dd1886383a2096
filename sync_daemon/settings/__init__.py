"""The configuration: one YAML file and the environment, checked as a whole before anything runs."""
