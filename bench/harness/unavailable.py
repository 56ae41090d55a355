"""What is raised when something cannot be run here."""


class Unavailable(Exception):
    """A server or a program cannot be run here; the text says why."""
