# needs: keep_statistics
from torch import nn


def set_trainable(module, trainable):
    """`trainable` of Keras: without it no gradients, and batch norms keep to their running statistics."""
    for weight in module.parameters():
        weight.requires_grad = trainable  # also of a lazy module, which has no weights yet
    for norm in module.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            if not hasattr(norm, 'frozen'):
                norm.register_forward_pre_hook(keep_statistics)
            norm.frozen = not trainable
    return module
