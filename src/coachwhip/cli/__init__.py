"""The commands: a thin face on the rooms below. `main` finds the subcommand; nothing heavy is imported before it is known."""
