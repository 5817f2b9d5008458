"""Where patient records come from: one module a source, each yields patients."""
