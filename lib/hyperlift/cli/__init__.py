"""The ``hyperlift`` command, one module a subcommand."""
