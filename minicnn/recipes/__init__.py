"""What a training is made of, shared by `minicnn train` and its twin in PyTorch.

Data and networks by name, options, the folder and the table of a run, and errors that are a sentence.
"""
