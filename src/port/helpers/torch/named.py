def named(symbol, name):
    """Notes the name of the layer that gives this, for `layer_output`; only in a model that is being built."""
    if hasattr(symbol, 'examples') and name is not None:
        symbol.layer_names = {*vars(symbol).get('layer_names', ()), name}
    return symbol
