import torch


def relu(x, max_value=None, negative_slope=0.0, threshold=0.0):
    """Keras' ReLU with all its settings: the slope below the threshold starts from the threshold."""
    y = torch.where(x > threshold, x, negative_slope * (x - threshold))
    return y if max_value is None else y.clamp(max=max_value)
