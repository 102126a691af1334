import CKernels

/// The functions of this module, compiled for its instruction set.
public func kernelTable() -> nr_kernels {
  nr_kernels(
    vectors: Int64(tileVectors),
    border: { border($0!) },
    pack: { pack($0!) },
    unpack: { unpack($0!) },
    taps: { taps($0!) },
    weight_gradient: { weightGradient($0!) },
    depthwise: { depthwise($0!) },
    depthwise_gradient: { depthwiseGradient($0!) },
    max_pool: { maxPool($0!) },
    max_pool_gradient: { maxPoolGradient($0!) },
    average_pool: { averagePool($0!) },
    average_pool_gradient: { averagePoolGradient($0!) },
    moments: { moments($0!, $1, $2, $3!, $4!) },
    normalised_sum: { normalisedSum($0!) },
    normalise_sums: { normaliseSums($0!) },
    normalise_gradient: { normaliseGradient($0!) },
    fill: { fill($0, $1!, $2) },
    scale: { scale($0!, $1, $2!, $3) },
    accumulate: { accumulate($0!, $1, $2!, $3) },
    unary: { unary($0, $1!, $2, $3, $4!, $5) },
    binary: { binary($0, $1!, $2, $3!, $4, $5, $6, $7!, $8) },
    sum: { sum($0!, $1, $2!, $3) },
    copy_channels: { copyChannels($0!, $1, $2!, $3, $4, $5, $6) },
    add_bias: { addBias($0!, $1!, $2!, $3, $4) },
    sum_rows: { sumRows($0!, $1, $2, $3!) },
    exponentials: { exponentials($0!, $1, $2!, $3!) },
    affine: { affine($0!, $1, $2, $3) },
    sgd: { sgd($0!) },
    dot: { dot($0!, $1!, $2) })
}
