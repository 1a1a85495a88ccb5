# needs: keep_statistics
from torch import nn


def set_trainable(module, trainable):
    """`trainable` of Keras: without it no gradients, and batch norms keep to their running statistics."""
    for weight in module.parameters():
        weight.requires_grad = trainable  # also of a lazy module, which has no weights yet
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and not hasattr(part, 'frozen'):
            part.register_forward_pre_hook(keep_statistics)
        if isinstance(part, (nn.modules.batchnorm._BatchNorm, nn.modules.lazy.LazyModuleMixin)):
            part.frozen = not trainable
    return module
