"""Right implementations in a few lines each, which the wrong ones are made from.

They take what the functions of `minicnn.nn.functional` take, as NumPy arrays. Everything is computed in float64 and
rounded once, to the dtype of the input.
"""
