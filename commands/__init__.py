"""The commands: modules that parse, call one function and print, and what those functions open and show."""
