"""Public names of what code imports from inside TensorFlow: `tensorflow.python.ops.array_ops.concat` is `tf.concat`.

Some names mean the function of TF 1 there (`array_ops.expand_dims`), others that of TF 2 (`math_ops.reduce_sum`).
"""

from __future__ import annotations

from port.aliases import spelled

# module below tf.python: names below the public name; 'a=b' where they differ
_NAMES = {
    "ops.array_ops": {
        "tf": "broadcast_to concat constant fill gather_v2=gather identity one_hot ones pad_v2=pad rank reshape "
              "reverse reverse_v2=reverse scatter_nd sequence_mask slice split stop_gradient strided_slice tile "
              "tensor_scatter_add=tensor_scatter_nd_add tensor_scatter_sub=tensor_scatter_nd_sub "
              "expand_dims_v2=expand_dims shape_v2=shape size_v2=size "
              "boolean_mask_v2=boolean_mask transpose_v2=transpose zeros meshgrid edit_distance unique",
        "tf.linalg": "matrix_transpose matrix_diag=diag matrix_diag_part=diag_part matrix_set_diag=set_diag",
        "tf.compat.v1": "expand_dims gather gather_nd matrix_band_part ones_like pad placeholder shape size squeeze "
                        "transpose where zeros_like boolean_mask",
    },
    "ops.array_ops_stack": {"tf": "stack unstack"},
    "ops.math_ops": {
        "tf": "abs add add_n argmax_v2=argmax argmin_v2=argmin cast complex cos cumsum divide equal exp greater "
              "greater_equal less less_equal linspace_nd=linspace logical_and logical_not logical_or matmul maximum "
              "minimum multiply not_equal pow range reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean "
              "reduce_min reduce_prod reduce_sum round saturate_cast sigmoid sign sin sqrt square "
              "subtract tanh tensordot truncatediv truncatemod neg=negative",
        "tf.math": "squared_difference ceil cumprod erf erfc expm1 log log1p log_sigmoid reciprocal rsqrt softplus "
                   "unsorted_segment_sum segment_sum div_no_nan=divide_no_nan floor_mod=floormod",
        "tf.compat.v1": "argmax argmin div to_float to_double to_int32 to_int64",
    },
    "ops.nn": {"tf.compat.v1.nn": "depthwise_conv2d fused_batch_norm moments convolution weighted_moments conv2d"},
    "ops.nn ops.nn_ops": {
        "tf.nn": "bias_add elu gelu l2_loss leaky_relu lrn relu relu6 selu softsign conv2d_v2=conv2d "
                 "softmax_v2=softmax conv1d_v2=conv1d conv3d_v2=conv3d max_pool_v2=max_pool "
                 "avg_pool_v2=avg_pool dropout_v2=dropout log_softmax_v2=log_softmax "
                 "softmax_cross_entropy_with_logits_v2=softmax_cross_entropy_with_logits",
        "tf.compat.v1.nn": "softmax log_softmax dropout sparse_softmax_cross_entropy_with_logits avg_pool max_pool",
    },
    "ops.nn ops.nn_impl": {
        "tf.nn": "batch_normalization swish l2_normalize moments_v2=moments zero_fraction "
                 "depthwise_conv2d_v2=depthwise_conv2d",
        "tf.compat.v1.nn": "sigmoid_cross_entropy_with_logits",
    },
    "ops.init_ops": {
        "tf.compat.v1": "zeros_initializer ones_initializer constant_initializer truncated_normal_initializer "
                        "random_normal_initializer random_uniform_initializer variance_scaling_initializer "
                        "glorot_uniform_initializer glorot_normal_initializer orthogonal_initializer "
                        "Zeros=zeros_initializer Ones=ones_initializer Constant=constant_initializer "
                        "TruncatedNormal=truncated_normal_initializer RandomNormal=random_normal_initializer",
    },
    "ops.init_ops_v2": {
        "tf": "Zeros=zeros_initializer Ones=ones_initializer Constant=constant_initializer "
              "RandomUniform=random_uniform_initializer RandomNormal=random_normal_initializer",
        "keras.initializers": "GlorotNormal GlorotUniform Identity Orthogonal TruncatedNormal VarianceScaling "
                              "glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal "
                              "lecun_uniform orthogonal truncated_normal",
    },
    "ops.clip_ops": {"tf": "clip_by_global_norm clip_by_norm clip_by_value"},
    "ops.linalg_ops": {"tf.linalg": "cholesky qr svd matrix_inverse=inv matrix_solve=solve", "tf": "norm_v2=norm"},
    "ops.random_ops": {"tf.random": "truncated_normal", "tf.compat.v1": "random_normal random_shuffle random_uniform"},
    "ops.special_math_ops": {"tf": "einsum"},
    "ops.control_flow_ops": {"tf": "group no_op", "tf.compat.v1": "tuple"},
    "ops.cond": {"tf.compat.v1": "cond"},
    "ops.while_loop": {"tf.compat.v1": "while_loop"},
    "ops.embedding_ops": {"tf.nn": "embedding_lookup_v2=embedding_lookup", "tf.compat.v1.nn": "embedding_lookup"},
    "ops.variable_scope": {"tf.compat.v1": "get_variable get_variable_scope variable_scope"},
    "ops.sparse_ops": {"tf.sparse": "sparse_reshape=reshape sparse_reorder=reorder"},
    "framework.constant_op": {"tf": "constant"},
    "framework.ops": {
        "tf": "Graph control_dependencies",
        "tf.compat.v1": "add_to_collection add_to_collections get_collection get_default_graph "
                        "name_scope_v1=name_scope",
    },
    "framework.sparse_tensor": {"tf": "SparseTensor"},
    "framework.tensor_shape": {"tf": "TensorShape", "tf.compat": "dimension_value"},
    "eager.backprop": {"tf": "GradientTape"},
    "util.nest": {"tf.nest": "assert_same_structure flatten map_structure pack_sequence_as is_nested"},
    "platform.tf_logging": {
        "tf.compat.v1.logging": "debug error fatal info log log_first_n set_verbosity warn warning"},
    "summary.summary": {"tf.compat.v1.summary": "FileWriter histogram image merge merge_all scalar"},
    "training.saver": {"tf.compat.v1.train": "Saver latest_checkpoint"},
    "training.monitored_session": {"tf.compat.v1.train": "MonitoredTrainingSession Scaffold"},
    "training.adam": {"tf.compat.v1.train": "AdamOptimizer"},
    "training.training_util": {"tf.compat.v1.train": "get_global_step get_or_create_global_step"},
}


PUBLIC = spelled(_NAMES, "tf.python.") | {
    "tf.python.framework.ops.convert_to_tensor": "tf.convert_to_tensor",  # the public one calls it
    "tf.python.framework.ops.name_scope": "tf.name_scope",
}
