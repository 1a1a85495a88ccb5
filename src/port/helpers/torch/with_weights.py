import torch


def with_weights(module, weights):
    """`weights` of Keras: arrays that the module starts from, in the order of its parameters; None leaves it alone."""
    with torch.no_grad():
        for weight, start in zip(module.parameters(), weights if weights is not None else ()):
            weight.copy_(torch.as_tensor(start))
    return module
