"""How good it is: benchmarks and what checks them."""
