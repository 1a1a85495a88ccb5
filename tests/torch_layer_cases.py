"""Modules of torch.nn with the shapes of their inputs: each is translated and must give torch's numbers.

`source | shape shape ...` in lines; groups share a process. `i<7` before a shape: integers below 7; `+`: positive.
"""

CONVOLUTIONS = """
nn.Linear(5, 4) | 3,5
nn.Linear(5, 4, bias=False) | 2,3,5
nn.Linear(in_features=5, out_features=7) | 2,3,4,5
nn.Bilinear(3, 4, 5) | 2,3 2,4
nn.Conv1d(3, 4, 3) | 2,3,11
nn.Conv1d(3, 4, 3, padding=1) | 2,3,11
nn.Conv1d(3, 4, kernel_size=3, stride=2, padding=1) | 2,3,12
nn.Conv1d(4, 6, 3, dilation=2, padding=2, groups=2) | 2,4,11
nn.Conv1d(3, 4, 4, padding="same") | 2,3,11
nn.Conv1d(3, 4, 3, padding=(1,), stride=(2,)) | 2,3,11
nn.Conv1d(3, 4, 3, padding=1, padding_mode="circular") | 2,3,11
nn.Conv2d(3, 4, 3) | 2,3,9,7
nn.Conv2d(3, 4, 1, bias=False) | 2,3,9,7
nn.Conv2d(3, 4, 3, padding=1) | 2,3,9,7
nn.Conv2d(3, 4, kernel_size=7, stride=2, padding=3, bias=False) | 2,3,13,12
nn.Conv2d(3, 4, (3, 5), stride=(2, 1), padding=(1, 2)) | 2,3,9,7
nn.Conv2d(3, 4, 4, 2, 1) | 2,3,9,8
nn.Conv2d(3, 4, 3, padding=2, dilation=2) | 2,3,9,8
nn.Conv2d(3, 4, 3, 2, 2, 2) | 2,3,9,8
nn.Conv2d(3, 4, 3, stride=(1, 2), padding=2, dilation=(2, 1)) | 2,3,9,8
nn.Conv2d(4, 4, 3, padding=1, groups=4) | 2,4,9,8
nn.Conv2d(4, 6, 3, padding=1, groups=2) | 2,4,9,8
nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=4, bias=False) | 2,4,9,8
nn.Conv2d(3, 4, 3, padding="same") | 2,3,9,8
nn.Conv2d(3, 4, (2, 4), padding="same", dilation=(1, 2)) | 2,3,9,8
nn.Conv2d(3, 4, 3, padding="valid") | 2,3,9,8
nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect") | 2,3,9,8
nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode="replicate") | 2,3,9,8
nn.Conv2d(3, 4, (3, 4), padding="same", padding_mode="circular") | 2,3,9,8
nn.Conv2d(3, 4, 5, stride=3, padding=(0, 2)) | 2,3,9,8
nn.Conv3d(3, 4, 3, padding=1) | 2,3,5,6,4
nn.Conv3d(3, 4, kernel_size=(1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), bias=False) | 2,3,5,6,4
nn.Conv3d(4, 4, 3, padding=1, groups=2) | 2,4,5,6,4
nn.ConvTranspose1d(3, 4, 4, 2, 1) | 2,3,7
nn.ConvTranspose1d(3, 4, 3, stride=2, padding=1, output_padding=1) | 2,3,7
nn.ConvTranspose1d(3, 4, 16, 8, padding=4) | 2,3,7
nn.ConvTranspose2d(3, 4, 2, 2) | 2,3,5,6
nn.ConvTranspose2d(3, 4, 4, 2, 1, bias=False) | 2,3,5,6
nn.ConvTranspose2d(3, 4, kernel_size=3, stride=2, padding=1, output_padding=1) | 2,3,5,6
nn.ConvTranspose2d(3, 4, 3) | 2,3,5,6
nn.ConvTranspose2d(3, 4, 3, padding=1) | 2,3,5,6
nn.ConvTranspose2d(3, 4, 2, 3) | 2,3,5,6
nn.ConvTranspose2d(3, 4, (3, 5), stride=(2, 3), padding=(1, 2), output_padding=(1, 0)) | 2,3,5,6
nn.ConvTranspose2d(3, 4, 5, 3, 2, 2) | 2,3,5,6
nn.ConvTranspose2d(3, 4, 1, 2, 0, 1) | 2,3,5,6
nn.ConvTranspose3d(3, 4, 2, 2) | 2,3,3,4,2
nn.ConvTranspose3d(3, 4, 3, 2, 1, 1) | 2,3,3,4,2
"""

NORMS = """
nn.BatchNorm1d(4) | 6,4
nn.BatchNorm1d(4) | 3,4,5
nn.BatchNorm1d(4, eps=1e-3, momentum=0.03) | 3,4,5
nn.BatchNorm2d(4) | 3,4,5,6
nn.BatchNorm2d(4, affine=False) | 3,4,5,6
nn.BatchNorm2d(num_features=4, eps=1e-6, momentum=0.25) | 3,4,5,6
nn.BatchNorm2d(4, bias=False) | 3,4,5,6
nn.BatchNorm3d(4) | 3,4,2,5,6
nn.LayerNorm(5) | 2,3,5
nn.LayerNorm(5, eps=1e-6) | 4,5
nn.LayerNorm(5, bias=False) | 4,5
nn.LayerNorm(5, elementwise_affine=False) | 2,3,4,5
nn.LayerNorm([4, 5]) | 2,3,4,5
nn.LayerNorm((3, 4, 5), eps=1e-3) | 2,3,4,5
nn.LayerNorm((5,)) | 2,3,5
nn.RMSNorm(5, eps=1e-6) | 2,3,5
nn.RMSNorm(5) | 2,3,5
nn.RMSNorm(5, eps=1e-5, elementwise_affine=False) | 2,3,5
nn.GroupNorm(2, 4) | 3,4,5,6
nn.GroupNorm(num_groups=1, num_channels=4, eps=1e-6) | 3,4,5,6
nn.GroupNorm(2, 4, affine=False) | 3,4,5
nn.GroupNorm(2, 4) | 3,4
nn.GroupNorm(4, 4) | 3,4,2,5,6
nn.InstanceNorm1d(4) | 3,4,5
nn.InstanceNorm2d(4, affine=True) | 3,4,5,6
nn.InstanceNorm2d(4, eps=1e-3) | 3,4,5,6
nn.InstanceNorm3d(4) | 3,4,2,5,6
nn.LocalResponseNorm(3) | 2,7,5,4
nn.LocalResponseNorm(4, alpha=0.5, beta=0.5, k=2.0) | 2,7,5
"""

POOLS = """
nn.MaxPool1d(2) | 2,3,9
nn.MaxPool1d(3, 2, 1) | 2,3,9
nn.MaxPool1d(3, 2, ceil_mode=True) | 2,3,10
nn.MaxPool2d(2) | 2,3,9,8
nn.MaxPool2d(2, 2) | 2,3,9,8
nn.MaxPool2d(kernel_size=3, stride=2, padding=1) | 2,3,9,8
nn.MaxPool2d(3, 1, 1) | 2,3,9,8
nn.MaxPool2d((3, 2), stride=(2, 1), padding=(1, 0)) | 2,3,9,8
nn.MaxPool2d(2, ceil_mode=True) | 2,3,9,8
nn.MaxPool2d(3, 2, ceil_mode=True) | 2,3,9,8
nn.MaxPool2d(3, 2, 1, ceil_mode=True) | 2,3,10,8
nn.MaxPool2d(3, 2, padding=1, dilation=2) | 2,3,11,9
nn.MaxPool2d(2, 1, dilation=(2, 1), ceil_mode=True) | 2,3,11,9
nn.AvgPool1d(2) | 2,3,9
nn.AvgPool1d(3, 2, 1, count_include_pad=False) | 2,3,9
nn.AvgPool2d(2) | 2,3,9,8
nn.AvgPool2d(kernel_size=3, stride=1, padding=1) | 2,3,9,8
nn.AvgPool2d(3, 1, 1, count_include_pad=False) | 2,3,9,8
nn.AvgPool2d(3, 2, 1, count_include_pad=False) | 2,3,9,8
nn.AvgPool2d(3, 2, 1, ceil_mode=True) | 2,3,10,8
nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False) | 2,3,10,8
nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False) | 2,3,9,8
nn.AvgPool2d((3, 2), (2, 1), (1, 0), divisor_override=4) | 2,3,9,8
nn.LPPool2d(2, 3, 2) | + 2,3,9,8
nn.LPPool1d(3, 2, ceil_mode=True) | + 2,3,9
nn.AdaptiveAvgPool1d(1) | 2,3,9
nn.AdaptiveAvgPool1d(4) | 2,3,9
nn.AdaptiveAvgPool2d(1) | 2,3,9,8
nn.AdaptiveAvgPool2d((1, 1)) | 2,3,9,8
nn.AdaptiveAvgPool2d((3, 5)) | 2,3,9,8
nn.AdaptiveAvgPool2d(7) | 2,3,9,5
nn.AdaptiveAvgPool2d((None, 3)) | 2,3,9,8
nn.AdaptiveAvgPool2d((1, None)) | 2,3,9,8
nn.AdaptiveAvgPool3d(1) | 2,3,4,5,6
nn.AdaptiveMaxPool1d(1) | 2,3,9
nn.AdaptiveMaxPool2d(1) | 2,3,9,8
nn.AdaptiveMaxPool2d((4, 3)) | 2,3,9,8
"""
# no float64 kernels in TensorFlow
POOLS_3D = """
nn.MaxPool3d(2) | 2,3,6,5,4
nn.MaxPool3d(kernel_size=(1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)) | 2,3,6,5,4
nn.MaxPool3d(3, 2, 1, ceil_mode=True) | 2,3,6,5,4
nn.AdaptiveAvgPool3d((2, 3, 4)) | 2,3,4,5,6
nn.AdaptiveMaxPool3d((2, 3, 4)) | 2,3,4,5,6
nn.AvgPool3d(2) | 2,3,6,5,4
nn.AvgPool3d(kernel_size=3, stride=2, padding=1) | 2,3,6,5,4
nn.AvgPool3d(3, 2, 1, ceil_mode=True, count_include_pad=False) | 2,3,6,5,4
"""

ACTIVATIONS = "\n".join(f"nn.{name} | {shape}" for name in (
    "Identity()", "Identity(3, unused=True)", "ReLU()", "ReLU(inplace=True)", "ReLU6()", "LeakyReLU()",
    "LeakyReLU(0.25)", "LeakyReLU(negative_slope=0.5, inplace=True)", "ELU()", "ELU(0.5)", "CELU()", "CELU(2.0)",
    "SELU()", "GELU()", "GELU(approximate='tanh')", "SiLU()", "Mish()", "Hardswish()", "Hardsigmoid()", "Hardtanh()",
    "Hardtanh(-0.5, 0.75)", "Hardshrink()", "Hardshrink(0.25)", "Softshrink()", "Softshrink(0.25)", "Tanhshrink()",
    "Softplus()", "Softplus(beta=2)", "Softplus(1, 0.5)", "Softsign()", "Sigmoid()", "LogSigmoid()", "Tanh()",
    "Threshold(0.1, 0.5)", "Softmax(dim=1)", "Softmax(-1)", "Softmax(dim=-1)", "Softmin(dim=1)", "LogSoftmax(dim=-1)",
    "LogSoftmax(1)", "GLU()", "GLU(dim=1)", "PReLU()", "PReLU(num_parameters=4, init=0.5)", "Dropout(0.0)")
    for shape in ("3,4", "3,4,6", "~ 3,4,6", "~ 3,4,6,2")) + """
nn.Softmax2d() | 2,3,4,5
nn.Softmax2d() | ~ 2,3,4,5
nn.Softmax() | 2,3,4
nn.Softmax() | 2,3,4,5
nn.PReLU() | ~ 2,3,4,5,2
nn.PReLU(3) | ~ 2,3,4,5,2
nn.RReLU() | e 3,4
nn.Dropout() | e 3,4
nn.Dropout1d(0.3) | e 3,4,5
nn.Dropout2d(0.3) | e ~ 3,4,5,6
nn.Dropout3d(0.3) | e ~ 3,4,5,6,2
nn.AlphaDropout(0.3) | e 3,4
nn.Softplus(2, 10.0) | x 3,4
nn.Softplus() | x 3,4
"""

SHAPES = """
nn.Embedding(7, 4) | i<7 2,5
nn.Embedding(7, 4, padding_idx=2) | i<7 2,5
nn.Embedding(7, 4, padding_idx=-1) | i<7 2,5
nn.Embedding(7, 4, sparse=False) | i<7 5
nn.EmbeddingBag(7, 4) | i<7 2,5
nn.EmbeddingBag(7, 4, mode="sum") | i<7 2,5
nn.Flatten() | 2,3,4
nn.Flatten() | ~ 2,3,4,5
nn.Flatten() | ~ 2,3,1,1
nn.Flatten(2) | 2,3,4,5
nn.Flatten(0, 1) | 2,3,4,5
nn.Flatten(1, 2) | ~ 2,3,4,5
nn.Flatten(2) | ~ 2,3,4,5
nn.Flatten(2) | ~ 2,3,4
nn.Flatten(start_dim=-2) | 2,3,4,5
nn.Unflatten(1, (2, 3)) | 2,6
nn.Unflatten(1, (2, 3)) | 2,6,5
nn.Unflatten(-1, (2, 3)) | 2,5,6
nn.PixelShuffle(2) | 2,8,3,5
nn.PixelUnshuffle(2) | 2,3,4,6
nn.ChannelShuffle(2) | 2,6,3,4
nn.Unfold(3) | 2,3,5,6
nn.Unfold((2, 3), dilation=(1, 2), padding=1, stride=2) | 2,3,7,6
nn.Fold((5, 6), 2) | 2,12,20
nn.Fold(output_size=(6, 7), kernel_size=(2, 3), dilation=(1, 2), padding=1, stride=2) | 2,18,12
nn.Upsample(scale_factor=2) | 2,3,5
nn.Upsample(scale_factor=2) | 2,3,5,4
nn.Upsample(scale_factor=(2, 3), mode="nearest") | 2,3,5,4
nn.Upsample(scale_factor=2) | 2,3,2,3,2
nn.Upsample(size=(7, 9)) | 2,3,5,4
nn.Upsample(scale_factor=1.5, mode="nearest") | 2,3,5,4
nn.Upsample(scale_factor=1.5, mode="nearest-exact") | 2,3,5,4
nn.Upsample(size=(7, 9), mode="nearest-exact") | 2,3,5,4
nn.Upsample(scale_factor=2, mode="bilinear") | 2,3,5,4
nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True) | 2,3,5,4
nn.Upsample(scale_factor=1.7, mode="bilinear") | 2,3,5,4
nn.Upsample(scale_factor=1.7, mode="bilinear", recompute_scale_factor=True) | 2,3,5,4
nn.Upsample(size=(3, 9), mode="bilinear", align_corners=False) | 2,3,5,4
nn.Upsample(size=9, mode="bilinear", align_corners=True) | 2,3,5,4
nn.Upsample(scale_factor=2, mode="bicubic") | 2,3,5,4
nn.Upsample(size=(3, 7), mode="bicubic", align_corners=True) | 2,3,5,4
nn.Upsample(scale_factor=2, mode="trilinear") | 2,3,3,4,2
nn.Upsample(scale_factor=2, mode="linear", align_corners=True) | 2,3,5
nn.Upsample(size=(3, 7), mode="area") | 2,3,5,4
nn.UpsamplingNearest2d(scale_factor=2) | 2,3,5,4
nn.UpsamplingBilinear2d(scale_factor=2) | 2,3,5,4
nn.UpsamplingBilinear2d(size=(7, 6)) | 2,3,5,4
nn.ZeroPad1d(2) | 2,3,5
nn.ZeroPad1d((1, 2)) | 2,3,5
nn.ZeroPad2d(2) | 2,3,5,4
nn.ZeroPad2d((1, 2, 3, 4)) | 2,3,5,4
nn.ZeroPad2d((1, 1, 2, 2)) | 2,3,5,4
nn.ZeroPad2d((0, -1, 1, -2)) | 2,3,5,4
nn.ZeroPad2d(padding=-1) | 2,3,5,4
nn.ZeroPad3d((1, 2, 0, 1, 2, 0)) | 2,3,5,4,3
nn.ConstantPad1d((3, 1), 3.5) | 2,3,5
nn.ConstantPad2d(2, value=0.5) | 2,3,5,4
nn.ConstantPad2d((1, 2, 0, 3), 0) | 2,3,5,4
nn.ConstantPad3d(1, 0.25) | 2,3,5,4,3
nn.ReflectionPad1d(2) | 2,3,5
nn.ReflectionPad2d(3) | 2,3,5,4
nn.ReflectionPad2d((1, 2, 0, 3)) | 2,3,5,4
nn.ReflectionPad3d(1) | 2,3,3,4,2
nn.ReplicationPad1d((2, 1)) | 2,3,5
nn.ReplicationPad2d(2) | 2,3,5,4
nn.ReplicationPad3d(1) | 2,3,3,4,2
nn.CircularPad1d((2, 1)) | 2,3,5
nn.CircularPad2d(1) | 2,3,5,4
nn.CosineSimilarity() | 2,3,4 2,3,4
nn.CosineSimilarity(dim=-1, eps=1e-6) | 3,4 3,4
nn.PairwiseDistance() | 3,4 3,4
nn.PairwiseDistance(1, keepdim=True) | 3,4 3,4
"""

RECURRENT = """
nn.LSTM(3, 4) | 5,2,3
nn.LSTM(3, 4, batch_first=True) | 2,5,3
nn.LSTM(input_size=3, hidden_size=4, num_layers=2, batch_first=True, bidirectional=True) | 2,5,3
nn.LSTM(3, 4, 2, bias=False) | 5,2,3
nn.LSTM(3, 4, batch_first=True, bidirectional=True) | 2,5,3 {"hx": (t[2,2,4], t[2,2,4])}
nn.GRU(3, 4) | 5,2,3
nn.GRU(3, 4, num_layers=3, batch_first=True, bidirectional=True) | 2,5,3
nn.GRU(3, 4, batch_first=True, bias=False) | 2,5,3 {"hx": t[1,2,4]}
nn.RNN(3, 4, batch_first=True) | 2,5,3
nn.RNN(3, 4, 2, nonlinearity="relu", bidirectional=True) | 5,2,3
nn.LSTMCell(3, 4) | 2,3
nn.LSTMCell(3, 4, bias=False) | 2,3 {"hx": (t[2,4], t[2,4])}
nn.GRUCell(3, 4) | 2,3
nn.GRUCell(3, 4) | 2,3 2,4
nn.RNNCell(3, 4, nonlinearity="relu") | 2,3 2,4
nn.MultiheadAttention(6, 2) | 5,2,6 4,2,6 4,2,6
nn.MultiheadAttention(embed_dim=6, num_heads=3, batch_first=True) | 2,5,6 2,4,6 2,4,6
nn.MultiheadAttention(6, 2, bias=False, batch_first=True) | 2,5,6 2,4,6 2,4,6 {"need_weights": False}
nn.MultiheadAttention(6, 2, kdim=3, vdim=5, batch_first=True) | 2,5,6 2,4,3 2,4,5 {"average_attn_weights": False}
nn.MultiheadAttention(6, 2, batch_first=True) | 2,5,6 2,4,6 2,4,6 {"attn_mask": b[5,4], "key_padding_mask": b[2,4]}
nn.MultiheadAttention(6, 2, batch_first=True) | 2,5,6 2,4,6 2,4,6 {"attn_mask": t[5,4]}
nn.MultiheadAttention(6, 2, batch_first=True) | 2,5,6 2,4,6 2,4,6 {"attn_mask": b[4,5,4]}
nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0) | 5,2,6
nn.TransformerEncoderLayer(6, 2, 8, 0.0, batch_first=True, norm_first=True, activation="gelu") | 2,5,6
nn.TransformerEncoderLayer(6, 2, 8, 0.0, "gelu", batch_first=True) | 2,5,6 {"src_mask": b[5,5]}
nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, bias=False, batch_first=True) | 2,5,6 {"src_key_padding_mask": b[2,5]}
nn.TransformerDecoderLayer(6, 2, 8, dropout=0.0) | 5,2,6 4,2,6
nn.TransformerDecoderLayer(6, 2, 8, 0.0, batch_first=True, norm_first=True) | 2,5,6 2,4,6 {"tgt_mask": b[5,5]}
nn.Transformer(6, 2, 2, 1, 8, 0.0) | 5,2,6 4,2,6
"""

CHAINS = """
nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 5, 5)) | 2,3,4,5
nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)) | 2,3,4,5
nn.Sequential(nn.Conv1d(3, 4, 3, 1, 1), nn.Linear(8, 5), nn.ReLU()) | 2,3,8
nn.Sequential(nn.Conv1d(3, 4, 3, stride=2, padding=1), nn.GroupNorm(2, 4), nn.Softplus(), nn.GLU(dim=1)) | 2,3,8
nn.Sequential(nn.Conv1d(3, 8, 1), nn.GLU(dim=1), nn.Conv1d(4, 6, 3), nn.GLU(), nn.Linear(3, 2)) | 2,3,8
nn.Sequential(nn.Linear(6, 32), nn.Unflatten(1, (8, 2, 2)), nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.Tanh()) | 2,6
nn.Sequential(nn.Conv2d(3, 4, 1), nn.Softmax(dim=1), nn.LayerNorm(5)) | 2,3,4,5
nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(2), nn.Conv1d(4, 5, 3)) | 2,3,4,5
nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(2), nn.Linear(20, 5)) | 2,3,4,5
nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6, momentum=0.1), nn.ReLU(inplace=True), nn.Linear(6, 2)) | 3,5
nn.Sequential(nn.Conv2d(3, 4, 3, padding=2, dilation=2), nn.PReLU(4), nn.MaxPool2d(3, 2, 1)) | 2,3,7,8
"""

GROUPS = {"chains": CHAINS, "recurrent": RECURRENT, "convolutions": CONVOLUTIONS, "norms": NORMS, "pools": POOLS,
          "pools_3d": POOLS_3D, "activations": ACTIVATIONS, "shapes": SHAPES}
# TensorFlow keeps a constant as float32, or resizes in float32: equal up to this
RESIDUE = {"nn.GELU": 1e-7, "nn.LeakyReLU": 1e-7, "nn.Hardsigmoid": 1e-7, "nn.TransformerEncoderLayer": 1e-7,
           'nn.Upsample(scale_factor=2, mode="bilinear")': 2e-6}




def cases(group):
    """[(source, flags, [(kind, shape), ...], keyword arguments), ...]; '~': channels last, 'e': no training."""
    found = []
    for line in GROUPS[group].strip().splitlines():
        source, _, rest = line.partition(" | ")
        rest, brace, call = rest.partition(" {")
        flags, inputs, kind = set(), [], "f"
        for word in rest.split():
            if word in ("~", "e"):
                flags.add(word)
            elif word[0] in "i+x":
                kind = word
            else:
                inputs.append((kind, tuple(map(int, word.split(",")))))
        found.append((source, flags, inputs, brace and "{" + call))
    return found
