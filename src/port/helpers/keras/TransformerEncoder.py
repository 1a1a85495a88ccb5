from keras import layers


class TransformerEncoder(layers.Layer):
    """nn.TransformerEncoder: num_layers layers with the settings of encoder_layer, each with weights of its own."""

    def __init__(self, encoder_layer, num_layers, norm=None):
        super().__init__()
        self.layers = [type(encoder_layer)(**encoder_layer.settings) for _ in range(num_layers)]
        self.norm = norm

    def call(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)
