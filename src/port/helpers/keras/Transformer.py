# needs: TransformerEncoderLayer, TransformerDecoderLayer, TransformerEncoder, TransformerDecoder
from keras import initializers, layers


class Transformer(layers.Layer):
    """nn.Transformer. Every matrix starts Glorot uniform."""

    def __init__(self, d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048,
                 dropout=0.1, activation="relu", layer_norm_eps=1e-5, batch_first=False, norm_first=False, bias=True):
        super().__init__()
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        norms = [layers.LayerNormalization(epsilon=layer_norm_eps, center=bias) for _ in range(2)]
        self.encoder = TransformerEncoder(TransformerEncoderLayer(*settings), num_encoder_layers, norms[0])
        self.decoder = TransformerDecoder(TransformerDecoderLayer(*settings), num_decoder_layers, norms[1])
        for layer in self._flatten_layers():
            if isinstance(layer, layers.Dense):
                layer.kernel_initializer = initializers.GlorotUniform()

    def call(self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None,
             tgt_key_padding_mask=None, memory_key_padding_mask=None, src_is_causal=None, tgt_is_causal=None,
             memory_is_causal=False):
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask)
        return self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                            tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask)
