// The scripts of Scripts/nas, part of the executable. A test compares this list with the files.
#include "CLuaShims.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char nas_declare[] = {
#embed "../../Scripts/nas/declare.lua"
};
static const char nas_evaluator[] = {
#embed "../../Scripts/nas/evaluator.lua"
};
static const char nas_evaluators_train[] = {
#embed "../../Scripts/nas/evaluators/train.lua"
};
static const char nas_init[] = {
#embed "../../Scripts/nas/init.lua"
};
static const char nas_measures[] = {
#embed "../../Scripts/nas/measures.lua"
};
static const char nas_nn[] = {
#embed "../../Scripts/nas/nn.lua"
};
static const char nas_nn_attention[] = {
#embed "../../Scripts/nas/nn/attention.lua"
};
static const char nas_nn_lstm_cell[] = {
#embed "../../Scripts/nas/nn/lstm_cell.lua"
};
static const char nas_nn_mbconv[] = {
#embed "../../Scripts/nas/nn/mbconv.lua"
};
static const char nas_nn_split[] = {
#embed "../../Scripts/nas/nn/split.lua"
};
static const char nas_nn_top_k[] = {
#embed "../../Scripts/nas/nn/top_k.lua"
};
static const char nas_nn_transformer_block[] = {
#embed "../../Scripts/nas/nn/transformer_block.lua"
};
static const char nas_plot[] = {
#embed "../../Scripts/nas/plot.lua"
};
static const char nas_relax[] = {
#embed "../../Scripts/nas/relax.lua"
};
static const char nas_result[] = {
#embed "../../Scripts/nas/result.lua"
};
static const char nas_search[] = {
#embed "../../Scripts/nas/search.lua"
};
static const char nas_spaces_nasbench201[] = {
#embed "../../Scripts/nas/spaces/nasbench201.lua"
};
static const char nas_stop[] = {
#embed "../../Scripts/nas/stop.lua"
};
static const char nas_strategies_listed[] = {
#embed "../../Scripts/nas/strategies/listed.lua"
};
static const char nas_strategies_random[] = {
#embed "../../Scripts/nas/strategies/random.lua"
};
static const char nas_strategies_regularized_evolution[] = {
#embed "../../Scripts/nas/strategies/regularized_evolution.lua"
};
static const char nas_trial[] = {
#embed "../../Scripts/nas/trial.lua"
};
static const char nas_weight_names[] = {
#embed "../../Scripts/nas/weight_names.lua"
};

#define SCRIPT(path, text) {path, text, text + sizeof text}

static const shim_module modules[] = {
    SCRIPT("nas/declare.lua", nas_declare),
    SCRIPT("nas/evaluator.lua", nas_evaluator),
    SCRIPT("nas/evaluators/train.lua", nas_evaluators_train),
    SCRIPT("nas/init.lua", nas_init),
    SCRIPT("nas/measures.lua", nas_measures),
    SCRIPT("nas/nn.lua", nas_nn),
    SCRIPT("nas/nn/attention.lua", nas_nn_attention),
    SCRIPT("nas/nn/lstm_cell.lua", nas_nn_lstm_cell),
    SCRIPT("nas/nn/mbconv.lua", nas_nn_mbconv),
    SCRIPT("nas/nn/split.lua", nas_nn_split),
    SCRIPT("nas/nn/top_k.lua", nas_nn_top_k),
    SCRIPT("nas/nn/transformer_block.lua", nas_nn_transformer_block),
    SCRIPT("nas/plot.lua", nas_plot),
    SCRIPT("nas/relax.lua", nas_relax),
    SCRIPT("nas/result.lua", nas_result),
    SCRIPT("nas/search.lua", nas_search),
    SCRIPT("nas/spaces/nasbench201.lua", nas_spaces_nasbench201),
    SCRIPT("nas/stop.lua", nas_stop),
    SCRIPT("nas/strategies/listed.lua", nas_strategies_listed),
    SCRIPT("nas/strategies/random.lua", nas_strategies_random),
    SCRIPT("nas/strategies/regularized_evolution.lua", nas_strategies_regularized_evolution),
    SCRIPT("nas/trial.lua", nas_trial),
    SCRIPT("nas/weight_names.lua", nas_weight_names),
};

const shim_module *shim_modules(void) { return modules; }
int shim_module_count(void) { return sizeof modules / sizeof *modules; }
