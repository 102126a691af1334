// The types between TensorCore and the kernel modules: jobs (what to compute, as pointers and integers) and the table
// of functions that each kernel module fills for its instruction set.
//
// Units: every stride, offset and count is in floats unless its name says otherwise. "Lanes" are the 16 channels of
// one vector; buffers hold whole vectors, and channels past the last logical one are zero.
#pragma once

#include <stdint.h>

// MARK: - Convolution

// Consecutive channels of one tap: `count` (at most 16) floats at `offset` from the pixel.
typedef struct {
  int32_t offset, count;
} nr_run;

// How the values of a source are made from those of an image.
typedef enum {
  NR_SOURCE_PLAIN,            // image
  NR_SOURCE_CLAMPED,          // image, clamped to low ... high
  NR_SOURCE_AFFINE,           // first * image + constant, clamped
  NR_SOURCE_GRADIENT,         // first * image + other * second + constant
  NR_SOURCE_MASKED_GRADIENT,  // the same with 0 for image where low < scale * other + shift < high doesn't hold
} nr_source_kind;

typedef struct {
  const float *image, *other;  // [height][width][pixel]
  const float *first, *second, *constant, *scale, *shift;  // [pixel]
  float low, high;
  uint32_t kind;
} nr_source;

// Copies a window of a source into zero-bordered scratch, 16 channels at a time: [block][row][column][16].
typedef struct {
  nr_source source;
  float *scratch;  // [blocks][rows][columns][16]
  int64_t height, width, pixel, blocks;
  int64_t top, left;  // image coordinates of scratch row 0, column 0; may lie outside of the image
  int64_t rows, columns;
} nr_border_job;

// What becomes of results: zero where 0 < mask < mask_high doesn't hold, plus addend, clamped to low ... high.
typedef struct {
  const float *values;         // the results as the kernels wrote them
  const float *mask, *addend;  // laid out like result, or null; the addend may be the result
  float *result;               // may be the values
  int64_t rows, columns, channels;
  int64_t value_row, value_column, result_row, result_column;
  float mask_high, low, high;
} nr_epilogue_job;

// Memory that is asked for while a kernel computes, because it's needed next.
typedef struct {
  const float *start;          // may be null
  int64_t runs, lines, step;  // runs of cache lines, and floats from a run to the next
} nr_ahead;

/// A vector of 16 floats, Swift's SIMD16<Float>.
typedef float nr_lanes __attribute__((ext_vector_type(16)));
/// The square roots: Swift's own are computed lane by lane.
static inline __attribute__((always_inline)) nr_lanes nr_square_root(nr_lanes x) {
  return __builtin_elementwise_sqrt(x);
}

/// The floats of two vectors in turns: the lower halves, or the upper ones.
static inline __attribute__((always_inline)) nr_lanes nr_lower_in_turns(nr_lanes x, nr_lanes y) {
  return __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
static inline __attribute__((always_inline)) nr_lanes nr_upper_in_turns(nr_lanes x, nr_lanes y) {
  return __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
/// Every second of 32 floats, from the first or from the second on.
static inline __attribute__((always_inline)) nr_lanes nr_even_lanes(nr_lanes x, nr_lanes y) {
  return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
static inline __attribute__((always_inline)) nr_lanes nr_odd_lanes(nr_lanes x, nr_lanes y) {
  return __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

#ifdef __AVX512BF16__
/// The sum plus the products of the upper halves, then plus those of the lower halves, of words of two bfloat16.
static inline __attribute__((always_inline)) nr_lanes nr_add_pair_products(nr_lanes x, nr_lanes y, nr_lanes sum) {
  typedef __bf16 halves __attribute__((vector_size(64)));
  typedef float vector __attribute__((vector_size(64)));
  return (nr_lanes)__builtin_ia32_dpbf16ps_512((vector)sum, (halves)x, (halves)y);
}
#endif

/// From here on numbers too small to be normal are zero, as operands and as results; returns the mode before.
static inline uint32_t nr_flush_subnormals(void) {
  uint32_t mode = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(mode | 0x8040);
  return mode;
}
static inline void nr_restore_rounding(uint32_t mode) { __builtin_ia32_ldmxcsr(mode); }

static inline void nr_prefetch(const float *p) { __builtin_prefetch(p, 0, 2); }

// result[row, column, lane] = bias[lane] + sum over runs and their channels of source * weights, in that order.
typedef struct {
  const float *source;  // at the first output pixel
  const nr_run *runs;
  const float *weights;  // [channel of all runs][vectors * 16]
  const float *bias;     // [vectors * 16]
  float *result;
  int64_t run_count, rows, columns;
  int64_t source_row, source_column, result_row, result_column;
  int64_t weight_row;  // from the weights of a row to those of the next: 0, or for a batch of matrix products
  int64_t vectors;     // 1 or 2 vectors of result channels
  int64_t last_lanes;  // logical channels in the last vector; the lanes after them are written as zero
  nr_ahead ahead[3];
} nr_tap_job;

// result[channel of all runs][vectors * 16] += sum over pixels, in row order, of source * gradient; so for each member
// of a batch.
typedef struct {
  const float *source;
  const nr_run *runs;
  const float *gradient;
  float *result;
  int64_t run_count, rows, columns;
  int64_t source_row, source_column, gradient_row, gradient_column;
  int64_t vectors;
  int64_t gradient_vector;  // from the first vector of result channels to the second
  int64_t members, source_member, gradient_member, result_member;
  nr_ahead ahead[3];
} nr_weight_gradient_job;

// Between tiles of an image and the 36 points of their transforms: [36][vectors of channels][tiles][16].
typedef struct {
  const float *pixels;  // source: zero-bordered windows; result: where results go; gradient: zero-bordered tiles
  float *points;        // of the first tile
  float *scratch;       // 96 vectors; for the source six rows of the windows
  const float *bias;    // [16]
  int64_t tile_rows, tile_columns;
  int64_t row, pixel;       // from a row and a pixel of the image to the next
  int64_t blocks, plane;    // vectors of channels, and from the pixels of one to the next
  int64_t point, block;     // from a point and a vector of channels to the next
  int64_t tile;             // result: from a tile to the next
  int64_t rows, columns;    // result: pixels that exist
} nr_winograd_job;

// Between dense weights [ky][kx][inputs_per_group][outputs] and the packed [tap][channel][width] of one block of
// result channels. Elements between different groups are zero when packed and skipped when unpacked.
typedef struct {
  const float *dense;
  float *packed;
  int64_t first_y, step_y, count_y, first_x, step_x, count_x, kernel_width;  // taps, as an arithmetic progression
  int64_t first_channel, channels;                                           // summed over
  int64_t first_lane, lanes, width;                                          // result channels
  int64_t inputs_per_group, outputs_per_group, outputs;
  int32_t transposed;  // 0: channels are inputs, lanes outputs; 1: the other way round
} nr_pack_job;

// Depthwise: result[row, column, lane] = bias[lane] + sum over taps, row by row, of source[lane] * weights[tap][lane],
// clamped to low ... high. The source is read where it lies; a tap outside of it counts as zero.
typedef struct {
  const float *source;   // row 0, column 0
  const float *weights;  // [tap row][tap column][16]
  const float *bias;     // [16]
  float *result;
  int64_t height, width;                   // of the source
  int64_t source_row, source_column;       // floats from a row and a column of the source to the next
  int64_t top, left;                       // where the first tap of the first result reads
  int64_t row_step, column_step;           // from there to that of the next result
  int64_t tap_rows, tap_columns;
  int64_t tap_row_step, tap_column_step;   // from where a tap reads to where the next does; may be negative
  int64_t rows, columns, result_row, result_column;
  int64_t lanes;  // logical channels of this vector
  float low, high;
  nr_ahead ahead[3];
} nr_depthwise_job;

// Depthwise: result[tap][16] += sum over pixels, in row order, of source * gradient.
typedef struct {
  const float *source;
  const int32_t *taps;
  const float *gradient;
  float *result;
  int64_t tap_count, rows, columns;
  int64_t source_row, source_column, gradient_row, gradient_column;
  int64_t neighbours;  // consecutive taps that are one vector apart: the width of the window, or 1
  nr_ahead ahead[3];
} nr_depthwise_gradient_job;

// MARK: - Matrix products

// For each row and each of at most 32 lanes: the start plus the sum over k, in order, of a * b. `a` is read in place,
// its element of row r at a + r * a_row + k * a_step; one of the two distances is 1.
typedef struct {
  const float *a;
  const float *b;      // [depth][b_row], readable to the end of the last vector of lanes
  const float *start;  // [vectors of lanes * 16], for every row; null for zero
  float *result;       // whole vectors for each row; lanes after the last logical one are written as zero
  int64_t rows, depth;
  int64_t a_row, a_step, b_row, result_row;
  int64_t lanes;        // logical columns of the result, 1 to 32
  int32_t accumulates;  // the sums go on from what `result` holds
  int32_t clamps;       // the results are clamped to low ... high
  const float *addend;  // added to the start; laid out like the result, and may be it; or null
  float low, high;
} nr_product_job;

// MARK: - Pooling

// One image. `input` and `output` are whatever the function reads and writes: for a backward function the gradient
// of the output and the gradient of the input.
typedef struct {
  const float *input;
  float *output;
  int32_t *argmax;  // [output height][output width][pixel]; the position in the window, row by row
  int64_t height, width, pixel;
  int64_t output_height, output_width;
  int64_t kernel_height, kernel_width, stride_height, stride_width;
  int64_t padding_height, padding_width, dilation_height, dilation_width;
  int32_t count_padding;  // average pooling divides by the whole window
} nr_pool_job;

// MARK: - Normalisation

// One term of a sum: factor times an image, or times scale * image + shift; vectors are [pixel], padding lanes zero.
typedef struct {
  const float *image;
  const float *scale, *shift;  // null for the image itself
  float factor;
} nr_term;

// sums[k] += the sum of gradient * term k, without its factor, over rows of `pixel` channels from float `first`.
typedef struct {
  const float *gradient;
  const nr_term *terms;
  double *sums;
  int64_t term_count, first, rows, pixel;
} nr_dots_job;

// The sum of the terms in their order, clamped to low ... high, over `rows` rows of `pixel` channels from float `first`.
typedef struct {
  const nr_term *terms;
  float *result;
  int64_t term_count, first, rows, pixel;
  float low, high;
} nr_sum_job;

// Over rows of channels: sums of gradient and of gradient * (input - mean) * deviation. With scale and shift, the
// gradient counts where low < scale * input + shift < high only.
typedef struct {
  const float *input, *gradient;
  const float *mean, *deviation;
  const float *scale, *shift;
  float low, high;
  float *gradient_sum, *product_sum;  // [channels], overwritten
  int64_t rows, row, channels;  // `row` floats from a row to the next
} nr_normalise_sums_job;

// dx = scale * (gradient - gradient_mean - (input - mean) * deviation * product_mean)
typedef struct {
  const float *input, *gradient;
  const float *mean, *deviation, *scale, *gradient_mean, *product_mean;
  float *output;
  int64_t rows, pixel;
} nr_normalise_gradient_job;

// Layer normalisation of rows: y = (x - mean) * deviation * scale + shift, with the mean and the inverse deviation of
// each row. Rows are `pixel` floats apart, lanes after the last channel are written as zero.
typedef struct {
  const float *input;
  const float *scale, *shift;  // [channels], or null for 1 and 0
  float *output;
  int64_t rows, channels, pixel;
  float epsilon;
} nr_layer_norm_job;

// Its gradients from that of the output: of the input, overwritten, and of scale and shift, to which is added.
typedef struct {
  const float *input, *gradient, *scale;  // scale may be null
  float *output;
  float *scale_gradient, *shift_gradient;  // [channels rounded up to vectors], or null
  int64_t rows, channels, pixel;
  float epsilon;
} nr_layer_norm_gradient_job;

// MARK: - Recurrent cells

// A long short-term memory cell on rows: gates [rows][gate_row] hold the sums of the input, forget, cell and output
// gate, `hidden` numbers each; states are `state_row` floats apart. A gradient of null is zero.
typedef struct {
  const float *gates, *state;
  float *output, *new_state;                            // forward
  const float *output_gradient, *new_state_gradient;    // backward
  float *gates_gradient, *state_gradient;
  int64_t rows, hidden, gate_row, state_row;
} nr_lstm_job;

// MARK: - Parameters

typedef struct {
  float *parameter, *mean, *square;
  const float *gradient;
  int64_t count;
  float step, root, epsilon;       // rate / c1, sqrt(c2), epsilon
  float fresh_mean, kept_square, fresh_square;
  float shrink, decay;             // factor of the parameter, and what is added of it to the gradient
} nr_adam_job;

typedef struct {
  float *parameter, *momentum_buffer;  // momentum_buffer may be null when momentum is 0
  const float *gradient;
  int64_t count;
  float learning_rate, momentum, weight_decay, gradient_scale;
  int32_t nesterov, first_step;
} nr_sgd_job;

// MARK: - The table

// Functions of one number.
typedef enum {
  NR_EXP, NR_LOG, NR_SQRT, NR_ABS, NR_SIGN, NR_TANH, NR_SIGMOID, NR_ERF, NR_SILU, NR_GELU, NR_HARD_SWISH,
  NR_SOFTPLUS, NR_SCALE, NR_POW, NR_CLAMP
} nr_unary;

// Functions of two numbers; a gradient takes what it is a function of, then the incoming gradient.
typedef enum {
  NR_ADD, NR_SUB, NR_MUL, NR_DIV, NR_MINIMUM, NR_MAXIMUM, NR_EQUAL, NR_LESS, NR_LESS_EQUAL, NR_TANH_GRADIENT,
  NR_SIGMOID_GRADIENT, NR_SILU_GRADIENT, NR_GELU_GRADIENT, NR_HARD_SWISH_GRADIENT, NR_CLAMP_RANGE,
  NR_OPEN_RANGE
} nr_binary;

typedef struct {
  int64_t vectors;  // how many vectors of result channels the convolution tile holds: 1 or 2

  void (*border)(const nr_border_job *);
  void (*epilogue)(const nr_epilogue_job *);
  void (*pack)(const nr_pack_job *);
  void (*unpack)(const nr_pack_job *);  // packed to dense, not transposed
  void (*taps)(const nr_tap_job *);
  void (*weight_gradient)(const nr_weight_gradient_job *);
  void (*winograd_source)(const nr_winograd_job *);
  void (*winograd_result)(const nr_winograd_job *);
  void (*winograd_gradient)(const nr_winograd_job *);
  // packed [9][count] to points [36][point], of which `count` floats are used; the gradients go back
  void (*winograd_weight)(const float *packed, int64_t count, float *points, int64_t point);
  void (*winograd_weight_gradient)(const float *points, int64_t count, int64_t point, float *packed);
  void (*depthwise)(const nr_depthwise_job *);
  void (*depthwise_gradient)(const nr_depthwise_gradient_job *);

  void (*product)(const nr_product_job *);
  // The same where each word of a and b is a pair of numbers in bfloat16, the first of them in its upper half; `depth`
  // counts pairs. Subnormal numbers are taken for zero.
  void (*pair_product)(const nr_product_job *);
  // words[i] = the pair of a[2 i] and a[2 i + 1], or 0 past the end; (count + 1) / 2 words
  void (*pair_columns)(const float *a, int64_t count, float *words);
  // The pairs of first[i] and second[i] (null for zeros) at words[i / 32 * panel + i % 32]; whole vectors are written.
  void (*pair_rows)(const float *first, const float *second, int64_t count, float *words, int64_t panel);
  // result[column] = the sum over k, in order, of a[k] * b[k][column]
  void (*row_product)(const float *a, int64_t depth, const float *b, int64_t b_row, float *result, int64_t columns);
  // result[row] = the sum over k of a[k] * b[row][k], in 16 lane sums
  void (*row_dots)(const float *a, int64_t depth, const float *b, int64_t b_row, float *result, int64_t rows);

  void (*max_pool)(const nr_pool_job *);
  void (*max_pool_gradient)(const nr_pool_job *);
  void (*average_pool)(const nr_pool_job *);
  void (*average_pool_gradient)(const nr_pool_job *);

  // Mean and sum of squared deviations of each channel over rows that are `row` floats apart.
  void (*moments)(const float *input, int64_t rows, int64_t row, int64_t channels, float *mean, float *squares);
  void (*normalised_sum)(const nr_sum_job *);
  void (*normalised_dots)(const nr_dots_job *);
  void (*normalise_sums)(const nr_normalise_sums_job *);
  void (*normalise_gradient)(const nr_normalise_gradient_job *);

  void (*layer_norm)(const nr_layer_norm_job *);
  void (*layer_norm_gradient)(const nr_layer_norm_gradient_job *);
  void (*lstm)(const nr_lstm_job *);
  void (*lstm_gradient)(const nr_lstm_job *);

  // Elementwise over `count` floats. Any count; buffers need no alignment.
  void (*fill)(float value, float *result, int64_t count);
  void (*scale)(const float *a, float factor, float *result, int64_t count);
  void (*accumulate)(const float *a, float factor, float *result, int64_t count);  // result += factor * a, fused
  // result = function(a), with the parameters p and q
  void (*unary)(uint32_t function, const float *a, float p, float q, float *result, int64_t count);
  // result = function(a, b); a step of 0 repeats the first number, 1 goes along
  void (*binary)(uint32_t function, const float *a, int64_t a_step, const float *b, int64_t b_step, float p, float q,
                 float *result, int64_t count);
  void (*sum)(const float *const *terms, int64_t terms_count, float *result, int64_t count);

  // Rows of channels. The widths are the distances between rows.
  void (*copy_channels)(const float *a, int64_t a_width, float *result, int64_t result_width, int64_t rows,
                        int64_t channels, int64_t zeros);  // then `zeros` zeros
  void (*sum_rows)(const float *a, int64_t rows, int64_t pixel, float *result);  // result[pixel] overwritten

  // Rows of `channels` numbers, `pixel` floats apart; lanes after the last channel are written as zero.
  void (*softmax)(const float *logits, float *result, int64_t rows, int64_t channels, int64_t pixel);
  // result = y * (gradient - the row's sum of y * gradient)
  void (*softmax_gradient)(const float *y, const float *gradient, float *result, int64_t rows, int64_t channels,
                           int64_t pixel);
  // result = gradient - e^y * the row's sum of the gradient
  void (*log_softmax_gradient)(const float *y, const float *gradient, float *result, int64_t rows, int64_t channels,
                               int64_t pixel);
  // The sum of a * b over each row times `factor`, in every channel of the row.
  void (*row_dot)(const float *a, const float *b, float factor, float *result, int64_t rows, int64_t channels,
                  int64_t pixel);

  // A bit for each number, whether it is greater than 0, and how many bits of two codes differ
  void (*sign_codes)(const float *a, int64_t count, uint32_t *codes);
  int64_t (*differing_bits)(const uint32_t *a, const uint32_t *b, int64_t words);

  // One row of logits: exponentials into result, and out[0] = max, out[1] = sum of exponentials, out[2] = sum of
  // logits. Lanes from `classes` to the end of the last vector become zero.
  void (*exponentials)(const float *logits, int64_t classes, float *result, float *out);
  // result = result * factor + shift over classes
  void (*affine)(float *result, int64_t classes, float factor, float shift);

  void (*sgd)(const nr_sgd_job *);
  void (*adam)(const nr_adam_job *);
  double (*dot)(const float *a, const float *b, int64_t count);
} nr_kernels;
