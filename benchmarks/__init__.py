"""minicnn beside PyTorch: `python -m benchmarks`."""
