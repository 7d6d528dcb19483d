"""The work that is timed: convolution layers, operators, training steps."""
