// The scripts of Scripts/nas, part of the executable. A test compares this list with the files.
#include "CLuaShims.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char nas_activation_codes[] = {
#embed "../../Scripts/nas/activation_codes.lua"
};
static const char nas_categories[] = {
#embed "../../Scripts/nas/categories.lua"
};
static const char nas_declare[] = {
#embed "../../Scripts/nas/declare.lua"
};
static const char nas_evaluator[] = {
#embed "../../Scripts/nas/evaluator.lua"
};
static const char nas_evaluators_cross_validation[] = {
#embed "../../Scripts/nas/evaluators/cross_validation.lua"
};
static const char nas_evaluators_proxy[] = {
#embed "../../Scripts/nas/evaluators/proxy.lua"
};
static const char nas_evaluators_table[] = {
#embed "../../Scripts/nas/evaluators/table.lua"
};
static const char nas_evaluators_train[] = {
#embed "../../Scripts/nas/evaluators/train.lua"
};
static const char nas_genotype[] = {
#embed "../../Scripts/nas/genotype.lua"
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
static const char nas_policies[] = {
#embed "../../Scripts/nas/policies.lua"
};
static const char nas_proxies_epe_nas[] = {
#embed "../../Scripts/nas/proxies/epe_nas.lua"
};
static const char nas_proxies_fisher[] = {
#embed "../../Scripts/nas/proxies/fisher.lua"
};
static const char nas_proxies_flops[] = {
#embed "../../Scripts/nas/proxies/flops.lua"
};
static const char nas_proxies_grad_norm[] = {
#embed "../../Scripts/nas/proxies/grad_norm.lua"
};
static const char nas_proxies_grasp[] = {
#embed "../../Scripts/nas/proxies/grasp.lua"
};
static const char nas_proxies_jacob_cov[] = {
#embed "../../Scripts/nas/proxies/jacob_cov.lua"
};
static const char nas_proxies_l2_norm[] = {
#embed "../../Scripts/nas/proxies/l2_norm.lua"
};
static const char nas_proxies_linear_regions[] = {
#embed "../../Scripts/nas/proxies/linear_regions.lua"
};
static const char nas_proxies_logsynflow[] = {
#embed "../../Scripts/nas/proxies/logsynflow.lua"
};
static const char nas_proxies_naswot[] = {
#embed "../../Scripts/nas/proxies/naswot.lua"
};
static const char nas_proxies_ntk_cond[] = {
#embed "../../Scripts/nas/proxies/ntk_cond.lua"
};
static const char nas_proxies_params[] = {
#embed "../../Scripts/nas/proxies/params.lua"
};
static const char nas_proxies_plain[] = {
#embed "../../Scripts/nas/proxies/plain.lua"
};
static const char nas_proxies_snip[] = {
#embed "../../Scripts/nas/proxies/snip.lua"
};
static const char nas_proxies_synflow[] = {
#embed "../../Scripts/nas/proxies/synflow.lua"
};
static const char nas_proxies_synflow_bn[] = {
#embed "../../Scripts/nas/proxies/synflow_bn.lua"
};
static const char nas_proxies_zen[] = {
#embed "../../Scripts/nas/proxies/zen.lua"
};
static const char nas_proxies_zico[] = {
#embed "../../Scripts/nas/proxies/zico.lua"
};
static const char nas_proxy[] = {
#embed "../../Scripts/nas/proxy.lua"
};
static const char nas_reference[] = {
#embed "../../Scripts/nas/reference.lua"
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
static const char nas_search_asking[] = {
#embed "../../Scripts/nas/search/asking.lua"
};
static const char nas_search_class[] = {
#embed "../../Scripts/nas/search/class.lua"
};
static const char nas_search_comparing[] = {
#embed "../../Scripts/nas/search/comparing.lua"
};
static const char nas_search_ending[] = {
#embed "../../Scripts/nas/search/ending.lua"
};
static const char nas_search_initial[] = {
#embed "../../Scripts/nas/search/initial.lua"
};
static const char nas_search_objectives[] = {
#embed "../../Scripts/nas/search/objectives.lua"
};
static const char nas_search_running[] = {
#embed "../../Scripts/nas/search/running.lua"
};
static const char nas_search_scope[] = {
#embed "../../Scripts/nas/search/scope.lua"
};
static const char nas_search_strategy[] = {
#embed "../../Scripts/nas/search/strategy.lua"
};
static const char nas_spaces_darts[] = {
#embed "../../Scripts/nas/spaces/darts.lua"
};
static const char nas_spaces_mobile[] = {
#embed "../../Scripts/nas/spaces/mobile.lua"
};
static const char nas_spaces_nasbench201[] = {
#embed "../../Scripts/nas/spaces/nasbench201.lua"
};
static const char nas_stop[] = {
#embed "../../Scripts/nas/stop.lua"
};
static const char nas_strategies_grid[] = {
#embed "../../Scripts/nas/strategies/grid.lua"
};
static const char nas_strategies_listed[] = {
#embed "../../Scripts/nas/strategies/listed.lua"
};
static const char nas_strategies_local_search[] = {
#embed "../../Scripts/nas/strategies/local_search.lua"
};
static const char nas_strategies_lstm_controller[] = {
#embed "../../Scripts/nas/strategies/lstm_controller.lua"
};
static const char nas_strategies_random[] = {
#embed "../../Scripts/nas/strategies/random.lua"
};
static const char nas_strategies_regularized_evolution[] = {
#embed "../../Scripts/nas/strategies/regularized_evolution.lua"
};
static const char nas_strategies_reinforce[] = {
#embed "../../Scripts/nas/strategies/reinforce.lua"
};
static const char nas_strategies_sequence[] = {
#embed "../../Scripts/nas/strategies/sequence.lua"
};
static const char nas_templates_search[] = {
#embed "../../Scripts/nas/templates/search.lua"
};
static const char nas_templates_space[] = {
#embed "../../Scripts/nas/templates/space.lua"
};
static const char nas_templates_strategy[] = {
#embed "../../Scripts/nas/templates/strategy.lua"
};
static const char nas_training[] = {
#embed "../../Scripts/nas/training.lua"
};
static const char nas_trial[] = {
#embed "../../Scripts/nas/trial.lua"
};
static const char nas_warm_start[] = {
#embed "../../Scripts/nas/warm_start.lua"
};
static const char nas_weight_names[] = {
#embed "../../Scripts/nas/weight_names.lua"
};

#define SCRIPT(path, text) {path, text, text + sizeof text}

static const shim_module modules[] = {
    SCRIPT("nas/activation_codes.lua", nas_activation_codes),
    SCRIPT("nas/categories.lua", nas_categories),
    SCRIPT("nas/declare.lua", nas_declare),
    SCRIPT("nas/evaluator.lua", nas_evaluator),
    SCRIPT("nas/evaluators/cross_validation.lua", nas_evaluators_cross_validation),
    SCRIPT("nas/evaluators/proxy.lua", nas_evaluators_proxy),
    SCRIPT("nas/evaluators/table.lua", nas_evaluators_table),
    SCRIPT("nas/evaluators/train.lua", nas_evaluators_train),
    SCRIPT("nas/genotype.lua", nas_genotype),
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
    SCRIPT("nas/policies.lua", nas_policies),
    SCRIPT("nas/proxies/epe_nas.lua", nas_proxies_epe_nas),
    SCRIPT("nas/proxies/fisher.lua", nas_proxies_fisher),
    SCRIPT("nas/proxies/flops.lua", nas_proxies_flops),
    SCRIPT("nas/proxies/grad_norm.lua", nas_proxies_grad_norm),
    SCRIPT("nas/proxies/grasp.lua", nas_proxies_grasp),
    SCRIPT("nas/proxies/jacob_cov.lua", nas_proxies_jacob_cov),
    SCRIPT("nas/proxies/l2_norm.lua", nas_proxies_l2_norm),
    SCRIPT("nas/proxies/linear_regions.lua", nas_proxies_linear_regions),
    SCRIPT("nas/proxies/logsynflow.lua", nas_proxies_logsynflow),
    SCRIPT("nas/proxies/naswot.lua", nas_proxies_naswot),
    SCRIPT("nas/proxies/ntk_cond.lua", nas_proxies_ntk_cond),
    SCRIPT("nas/proxies/params.lua", nas_proxies_params),
    SCRIPT("nas/proxies/plain.lua", nas_proxies_plain),
    SCRIPT("nas/proxies/snip.lua", nas_proxies_snip),
    SCRIPT("nas/proxies/synflow.lua", nas_proxies_synflow),
    SCRIPT("nas/proxies/synflow_bn.lua", nas_proxies_synflow_bn),
    SCRIPT("nas/proxies/zen.lua", nas_proxies_zen),
    SCRIPT("nas/proxies/zico.lua", nas_proxies_zico),
    SCRIPT("nas/proxy.lua", nas_proxy),
    SCRIPT("nas/reference.lua", nas_reference),
    SCRIPT("nas/relax.lua", nas_relax),
    SCRIPT("nas/result.lua", nas_result),
    SCRIPT("nas/search.lua", nas_search),
    SCRIPT("nas/search/asking.lua", nas_search_asking),
    SCRIPT("nas/search/class.lua", nas_search_class),
    SCRIPT("nas/search/comparing.lua", nas_search_comparing),
    SCRIPT("nas/search/ending.lua", nas_search_ending),
    SCRIPT("nas/search/initial.lua", nas_search_initial),
    SCRIPT("nas/search/objectives.lua", nas_search_objectives),
    SCRIPT("nas/search/running.lua", nas_search_running),
    SCRIPT("nas/search/scope.lua", nas_search_scope),
    SCRIPT("nas/search/strategy.lua", nas_search_strategy),
    SCRIPT("nas/spaces/darts.lua", nas_spaces_darts),
    SCRIPT("nas/spaces/mobile.lua", nas_spaces_mobile),
    SCRIPT("nas/spaces/nasbench201.lua", nas_spaces_nasbench201),
    SCRIPT("nas/stop.lua", nas_stop),
    SCRIPT("nas/strategies/grid.lua", nas_strategies_grid),
    SCRIPT("nas/strategies/listed.lua", nas_strategies_listed),
    SCRIPT("nas/strategies/local_search.lua", nas_strategies_local_search),
    SCRIPT("nas/strategies/lstm_controller.lua", nas_strategies_lstm_controller),
    SCRIPT("nas/strategies/random.lua", nas_strategies_random),
    SCRIPT("nas/strategies/regularized_evolution.lua", nas_strategies_regularized_evolution),
    SCRIPT("nas/strategies/reinforce.lua", nas_strategies_reinforce),
    SCRIPT("nas/strategies/sequence.lua", nas_strategies_sequence),
    SCRIPT("nas/templates/search.lua", nas_templates_search),
    SCRIPT("nas/templates/space.lua", nas_templates_space),
    SCRIPT("nas/templates/strategy.lua", nas_templates_strategy),
    SCRIPT("nas/training.lua", nas_training),
    SCRIPT("nas/trial.lua", nas_trial),
    SCRIPT("nas/warm_start.lua", nas_warm_start),
    SCRIPT("nas/weight_names.lua", nas_weight_names),
};

const shim_module *shim_modules(void) { return modules; }
int shim_module_count(void) { return sizeof modules / sizeof *modules; }
