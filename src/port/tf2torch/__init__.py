"""From TensorFlow and Keras to PyTorch: what is known of the source, and what each construct becomes."""
