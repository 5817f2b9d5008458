"""How the tuned models are made: data, trainers, export."""
