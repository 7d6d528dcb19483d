"""What the tests of the page need: a browser, states, and the numbers that PyTorch has for what the page shows."""
