"""The models of `minicnn.models` in PyTorch, under the same names and with the same parameters."""
