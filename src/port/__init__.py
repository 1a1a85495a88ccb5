"""Port deep-learning code between TensorFlow/Keras and PyTorch, and prove that the numbers agree."""

__version__ = "0.1.0"
