"""What `algorithm="auto"` may choose from: state that the user switches, read by `kernels.convolution.select`."""

winograd_allowed = False
