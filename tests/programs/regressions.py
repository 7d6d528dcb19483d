"""Programs on which minicnn and PyTorch once differed, each as short as it could be made. None may differ again."""

REGRESSIONS = {
    "max pool with the default stride and a padding": """
x = T.from_numpy(reals(1, 6, 1, 6)).requires_grad_()
y = F.max_pool2d(x, (1, 3), padding=(0, 1))
y.backward(T.from_numpy(reals(1, 6, 1, 2)))
""",
}
