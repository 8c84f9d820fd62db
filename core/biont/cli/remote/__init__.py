"""Commands that act on a server, made from its API document when they are used."""
