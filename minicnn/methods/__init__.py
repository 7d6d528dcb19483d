"""Tensor's methods by family: each class names functions of `minicnn.operators`, whose first argument is the tensor.

`minicnn.tensor.Tensor` inherits them all. A method stands here only where PyTorch has it as a method; the function,
with its documentation and its gradient, stands in `minicnn.operators`.
"""
