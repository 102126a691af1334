// The scripts of Scripts/nas, part of the executable. A test compares this list with the files.
#include "CLuaShims.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char nas_activation_codes[] = {
#embed "../../Scripts/nas/activation_codes.lua"
};
static const char nas_categories[] = {
#embed "../../Scripts/nas/categories.lua"
};
static const char nas_decision_view[] = {
#embed "../../Scripts/nas/decision_view.lua"
};
static const char nas_declare[] = {
#embed "../../Scripts/nas/declare.lua"
};
static const char nas_early_stopping[] = {
#embed "../../Scripts/nas/early_stopping.lua"
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
static const char nas_evaluators_train_early_stop[] = {
#embed "../../Scripts/nas/evaluators/train_early_stop.lua"
};
static const char nas_genotype[] = {
#embed "../../Scripts/nas/genotype.lua"
};
static const char nas_init[] = {
#embed "../../Scripts/nas/init.lua"
};
static const char nas_latency_predictor[] = {
#embed "../../Scripts/nas/latency_predictor.lua"
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
static const char nas_nn_lstm_step[] = {
#embed "../../Scripts/nas/nn/lstm_step.lua"
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
static const char nas_read_only[] = {
#embed "../../Scripts/nas/read_only.lua"
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
static const char nas_test[] = {
#embed "../../Scripts/nas/test.lua"
};
static const char nas_testing_compare[] = {
#embed "../../Scripts/nas/testing/compare.lua"
};
static const char nas_testing_conformance[] = {
#embed "../../Scripts/nas/testing/conformance.lua"
};
static const char nas_testing_describe[] = {
#embed "../../Scripts/nas/testing/describe.lua"
};
static const char nas_testing_doubles_evaluators_counts_trials[] = {
#embed "../../Scripts/nas/testing/doubles/evaluators/counts_trials.lua"
};
static const char nas_testing_doubles_evaluators_divides_by_zero[] = {
#embed "../../Scripts/nas/testing/doubles/evaluators/divides_by_zero.lua"
};
static const char nas_testing_doubles_evaluators_hides_a_count[] = {
#embed "../../Scripts/nas/testing/doubles/evaluators/hides_a_count.lua"
};
static const char nas_testing_doubles_evaluators_returns_a_number[] = {
#embed "../../Scripts/nas/testing/doubles/evaluators/returns_a_number.lua"
};
static const char nas_testing_doubles_evaluators_times_itself[] = {
#embed "../../Scripts/nas/testing/doubles/evaluators/times_itself.lua"
};
static const char nas_testing_doubles_evaluators_trains_too_long[] = {
#embed "../../Scripts/nas/testing/doubles/evaluators/trains_too_long.lua"
};
static const char nas_testing_doubles_proxies_counts_calls[] = {
#embed "../../Scripts/nas/testing/doubles/proxies/counts_calls.lua"
};
static const char nas_testing_doubles_proxies_likes_all[] = {
#embed "../../Scripts/nas/testing/doubles/proxies/likes_all.lua"
};
static const char nas_testing_doubles_proxies_returns_a_tensor[] = {
#embed "../../Scripts/nas/testing/doubles/proxies/returns_a_tensor.lua"
};
static const char nas_testing_doubles_proxies_takes_logarithms[] = {
#embed "../../Scripts/nas/testing/doubles/proxies/takes_logarithms.lua"
};
static const char nas_testing_doubles_proxies_trains[] = {
#embed "../../Scripts/nas/testing/doubles/proxies/trains.lua"
};
static const char nas_testing_doubles_proxies_wrong_direction[] = {
#embed "../../Scripts/nas/testing/doubles/proxies/wrong_direction.lua"
};
static const char nas_testing_doubles_spaces_base[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/base.lua"
};
static const char nas_testing_doubles_spaces_breaks_on_an_option[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/breaks_on_an_option.lua"
};
static const char nas_testing_doubles_spaces_counts_builds[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/counts_builds.lua"
};
static const char nas_testing_doubles_spaces_explodes[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/explodes.lua"
};
static const char nas_testing_doubles_spaces_fine[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/fine.lua"
};
static const char nas_testing_doubles_spaces_forgets_a_decision[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/forgets_a_decision.lua"
};
static const char nas_testing_doubles_spaces_ignores_width[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/ignores_width.lua"
};
static const char nas_testing_doubles_spaces_never_skips[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/never_skips.lua"
};
static const char nas_testing_doubles_spaces_shifts_names[] = {
#embed "../../Scripts/nas/testing/doubles/spaces/shifts_names.lua"
};
static const char nas_testing_doubles_strategies_always_maximises[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/always_maximises.lua"
};
static const char nas_testing_doubles_strategies_credits_the_last[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/credits_the_last.lua"
};
static const char nas_testing_doubles_strategies_draws_forever[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/draws_forever.lua"
};
static const char nas_testing_doubles_strategies_global_random[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/global_random.lua"
};
static const char nas_testing_doubles_strategies_hoards[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/hoards.lua"
};
static const char nas_testing_doubles_strategies_knows_one_space[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/knows_one_space.lua"
};
static const char nas_testing_doubles_strategies_makes_invalid[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/makes_invalid.lua"
};
static const char nas_testing_doubles_strategies_mixes_up_results[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/mixes_up_results.lua"
};
static const char nas_testing_doubles_strategies_peeks_at_test[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/peeks_at_test.lua"
};
static const char nas_testing_doubles_strategies_remembers_in_self[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/remembers_in_self.lua"
};
static const char nas_testing_doubles_strategies_remembers_searches[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/remembers_searches.lua"
};
static const char nas_testing_doubles_strategies_rewrites_history[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/rewrites_history.lua"
};
static const char nas_testing_doubles_strategies_trusts_every_trial[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/trusts_every_trial.lua"
};
static const char nas_testing_doubles_strategies_watches_memory[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/watches_memory.lua"
};
static const char nas_testing_doubles_strategies_watches_the_clock[] = {
#embed "../../Scripts/nas/testing/doubles/strategies/watches_the_clock.lua"
};
static const char nas_testing_evaluator_cases[] = {
#embed "../../Scripts/nas/testing/evaluator_cases.lua"
};
static const char nas_testing_evaluator_checks[] = {
#embed "../../Scripts/nas/testing/evaluator_checks.lua"
};
static const char nas_testing_expect[] = {
#embed "../../Scripts/nas/testing/expect.lua"
};
static const char nas_testing_failure[] = {
#embed "../../Scripts/nas/testing/failure.lua"
};
static const char nas_testing_file[] = {
#embed "../../Scripts/nas/testing/file.lua"
};
static const char nas_testing_kit[] = {
#embed "../../Scripts/nas/testing/kit.lua"
};
static const char nas_testing_landscape[] = {
#embed "../../Scripts/nas/testing/landscape.lua"
};
static const char nas_testing_paired[] = {
#embed "../../Scripts/nas/testing/paired.lua"
};
static const char nas_testing_proxy_cases[] = {
#embed "../../Scripts/nas/testing/proxy_cases.lua"
};
static const char nas_testing_proxy_checks[] = {
#embed "../../Scripts/nas/testing/proxy_checks.lua"
};
static const char nas_testing_rehearsal[] = {
#embed "../../Scripts/nas/testing/rehearsal.lua"
};
static const char nas_testing_selection[] = {
#embed "../../Scripts/nas/testing/selection.lua"
};
static const char nas_testing_space_cases[] = {
#embed "../../Scripts/nas/testing/space_cases.lua"
};
static const char nas_testing_space_checks[] = {
#embed "../../Scripts/nas/testing/space_checks.lua"
};
static const char nas_testing_spaces[] = {
#embed "../../Scripts/nas/testing/spaces.lua"
};
static const char nas_testing_strategy_cases[] = {
#embed "../../Scripts/nas/testing/strategy_cases.lua"
};
static const char nas_testing_strategy_checks[] = {
#embed "../../Scripts/nas/testing/strategy_checks.lua"
};
static const char nas_testing_subject[] = {
#embed "../../Scripts/nas/testing/subject.lua"
};
static const char nas_testing_suite[] = {
#embed "../../Scripts/nas/testing/suite.lua"
};
static const char nas_testing_watch[] = {
#embed "../../Scripts/nas/testing/watch.lua"
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
    SCRIPT("nas/decision_view.lua", nas_decision_view),
    SCRIPT("nas/declare.lua", nas_declare),
    SCRIPT("nas/early_stopping.lua", nas_early_stopping),
    SCRIPT("nas/evaluator.lua", nas_evaluator),
    SCRIPT("nas/evaluators/cross_validation.lua", nas_evaluators_cross_validation),
    SCRIPT("nas/evaluators/proxy.lua", nas_evaluators_proxy),
    SCRIPT("nas/evaluators/table.lua", nas_evaluators_table),
    SCRIPT("nas/evaluators/train.lua", nas_evaluators_train),
    SCRIPT("nas/evaluators/train_early_stop.lua", nas_evaluators_train_early_stop),
    SCRIPT("nas/genotype.lua", nas_genotype),
    SCRIPT("nas/init.lua", nas_init),
    SCRIPT("nas/latency_predictor.lua", nas_latency_predictor),
    SCRIPT("nas/measures.lua", nas_measures),
    SCRIPT("nas/nn.lua", nas_nn),
    SCRIPT("nas/nn/attention.lua", nas_nn_attention),
    SCRIPT("nas/nn/lstm_cell.lua", nas_nn_lstm_cell),
    SCRIPT("nas/nn/lstm_step.lua", nas_nn_lstm_step),
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
    SCRIPT("nas/read_only.lua", nas_read_only),
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
    SCRIPT("nas/test.lua", nas_test),
    SCRIPT("nas/testing/compare.lua", nas_testing_compare),
    SCRIPT("nas/testing/conformance.lua", nas_testing_conformance),
    SCRIPT("nas/testing/describe.lua", nas_testing_describe),
    SCRIPT("nas/testing/doubles/evaluators/counts_trials.lua", nas_testing_doubles_evaluators_counts_trials),
    SCRIPT("nas/testing/doubles/evaluators/divides_by_zero.lua", nas_testing_doubles_evaluators_divides_by_zero),
    SCRIPT("nas/testing/doubles/evaluators/hides_a_count.lua", nas_testing_doubles_evaluators_hides_a_count),
    SCRIPT("nas/testing/doubles/evaluators/returns_a_number.lua", nas_testing_doubles_evaluators_returns_a_number),
    SCRIPT("nas/testing/doubles/evaluators/times_itself.lua", nas_testing_doubles_evaluators_times_itself),
    SCRIPT("nas/testing/doubles/evaluators/trains_too_long.lua", nas_testing_doubles_evaluators_trains_too_long),
    SCRIPT("nas/testing/doubles/proxies/counts_calls.lua", nas_testing_doubles_proxies_counts_calls),
    SCRIPT("nas/testing/doubles/proxies/likes_all.lua", nas_testing_doubles_proxies_likes_all),
    SCRIPT("nas/testing/doubles/proxies/returns_a_tensor.lua", nas_testing_doubles_proxies_returns_a_tensor),
    SCRIPT("nas/testing/doubles/proxies/takes_logarithms.lua", nas_testing_doubles_proxies_takes_logarithms),
    SCRIPT("nas/testing/doubles/proxies/trains.lua", nas_testing_doubles_proxies_trains),
    SCRIPT("nas/testing/doubles/proxies/wrong_direction.lua", nas_testing_doubles_proxies_wrong_direction),
    SCRIPT("nas/testing/doubles/spaces/base.lua", nas_testing_doubles_spaces_base),
    SCRIPT("nas/testing/doubles/spaces/breaks_on_an_option.lua", nas_testing_doubles_spaces_breaks_on_an_option),
    SCRIPT("nas/testing/doubles/spaces/counts_builds.lua", nas_testing_doubles_spaces_counts_builds),
    SCRIPT("nas/testing/doubles/spaces/explodes.lua", nas_testing_doubles_spaces_explodes),
    SCRIPT("nas/testing/doubles/spaces/fine.lua", nas_testing_doubles_spaces_fine),
    SCRIPT("nas/testing/doubles/spaces/forgets_a_decision.lua", nas_testing_doubles_spaces_forgets_a_decision),
    SCRIPT("nas/testing/doubles/spaces/ignores_width.lua", nas_testing_doubles_spaces_ignores_width),
    SCRIPT("nas/testing/doubles/spaces/never_skips.lua", nas_testing_doubles_spaces_never_skips),
    SCRIPT("nas/testing/doubles/spaces/shifts_names.lua", nas_testing_doubles_spaces_shifts_names),
    SCRIPT("nas/testing/doubles/strategies/always_maximises.lua", nas_testing_doubles_strategies_always_maximises),
    SCRIPT("nas/testing/doubles/strategies/credits_the_last.lua", nas_testing_doubles_strategies_credits_the_last),
    SCRIPT("nas/testing/doubles/strategies/draws_forever.lua", nas_testing_doubles_strategies_draws_forever),
    SCRIPT("nas/testing/doubles/strategies/global_random.lua", nas_testing_doubles_strategies_global_random),
    SCRIPT("nas/testing/doubles/strategies/hoards.lua", nas_testing_doubles_strategies_hoards),
    SCRIPT("nas/testing/doubles/strategies/knows_one_space.lua", nas_testing_doubles_strategies_knows_one_space),
    SCRIPT("nas/testing/doubles/strategies/makes_invalid.lua", nas_testing_doubles_strategies_makes_invalid),
    SCRIPT("nas/testing/doubles/strategies/mixes_up_results.lua", nas_testing_doubles_strategies_mixes_up_results),
    SCRIPT("nas/testing/doubles/strategies/peeks_at_test.lua", nas_testing_doubles_strategies_peeks_at_test),
    SCRIPT("nas/testing/doubles/strategies/remembers_in_self.lua", nas_testing_doubles_strategies_remembers_in_self),
    SCRIPT("nas/testing/doubles/strategies/remembers_searches.lua", nas_testing_doubles_strategies_remembers_searches),
    SCRIPT("nas/testing/doubles/strategies/rewrites_history.lua", nas_testing_doubles_strategies_rewrites_history),
    SCRIPT("nas/testing/doubles/strategies/trusts_every_trial.lua", nas_testing_doubles_strategies_trusts_every_trial),
    SCRIPT("nas/testing/doubles/strategies/watches_memory.lua", nas_testing_doubles_strategies_watches_memory),
    SCRIPT("nas/testing/doubles/strategies/watches_the_clock.lua", nas_testing_doubles_strategies_watches_the_clock),
    SCRIPT("nas/testing/evaluator_cases.lua", nas_testing_evaluator_cases),
    SCRIPT("nas/testing/evaluator_checks.lua", nas_testing_evaluator_checks),
    SCRIPT("nas/testing/expect.lua", nas_testing_expect),
    SCRIPT("nas/testing/failure.lua", nas_testing_failure),
    SCRIPT("nas/testing/file.lua", nas_testing_file),
    SCRIPT("nas/testing/kit.lua", nas_testing_kit),
    SCRIPT("nas/testing/landscape.lua", nas_testing_landscape),
    SCRIPT("nas/testing/paired.lua", nas_testing_paired),
    SCRIPT("nas/testing/proxy_cases.lua", nas_testing_proxy_cases),
    SCRIPT("nas/testing/proxy_checks.lua", nas_testing_proxy_checks),
    SCRIPT("nas/testing/rehearsal.lua", nas_testing_rehearsal),
    SCRIPT("nas/testing/selection.lua", nas_testing_selection),
    SCRIPT("nas/testing/space_cases.lua", nas_testing_space_cases),
    SCRIPT("nas/testing/space_checks.lua", nas_testing_space_checks),
    SCRIPT("nas/testing/spaces.lua", nas_testing_spaces),
    SCRIPT("nas/testing/strategy_cases.lua", nas_testing_strategy_cases),
    SCRIPT("nas/testing/strategy_checks.lua", nas_testing_strategy_checks),
    SCRIPT("nas/testing/subject.lua", nas_testing_subject),
    SCRIPT("nas/testing/suite.lua", nas_testing_suite),
    SCRIPT("nas/testing/watch.lua", nas_testing_watch),
    SCRIPT("nas/training.lua", nas_training),
    SCRIPT("nas/trial.lua", nas_trial),
    SCRIPT("nas/warm_start.lua", nas_warm_start),
    SCRIPT("nas/weight_names.lua", nas_weight_names),
};

const shim_module *shim_modules(void) { return modules; }
int shim_module_count(void) { return sizeof modules / sizeof *modules; }
