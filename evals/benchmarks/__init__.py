"""The benchmarks: one module each, with a function `load` that makes a `Benchmark` of a data file."""
