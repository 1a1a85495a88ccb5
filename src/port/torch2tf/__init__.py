"""PyTorch to Keras 3. Facts of a file come from `interp`; the writer turns its expressions and statements around."""

from port.torch2tf.module import translate

__all__ = ["translate"]
