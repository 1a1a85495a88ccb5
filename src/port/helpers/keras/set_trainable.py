def set_trainable(module, value):
    """`p.requires_grad = value` of all parameters that a module has: of what it gets later nothing is said."""
    parts = list(module._flatten_layers(include_self=False))
    for layer in parts or [module]:
        layer.trainable = value
    for weight in module._trainable_variables:
        weight.trainable = value
