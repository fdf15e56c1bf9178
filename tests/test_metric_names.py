"""What the whole words of a metric's name say: its direction, and where its values can lie."""

import math

import pytest

from descenso.metric_names import higher_is_better, is_share, value_range


def _words(text):
    return text.split()


LOWER = _words("""
    loss error nll ppl perplexity wer cer ter bpb bpc fid kid lpips rmse mae mse mape smape rmsle brier
    ece regret time seconds latency flops memory energy distance divergence hausdorff eer fpr fnr
    error_score brier_score val_bpb eval/nll valLoss MSELoss train.loss top1_error word_error_rate
    time_to_accuracy steps_to_target epochs_to_90_acc seconds_per_step loss_per_token bits_per_byte
    kl_divergence mean_rank false_positive_rate accuracy_loss reward_loss accuracy_drop neg_reward
    negative_log_likelihood 1-accuracy one_minus_auc -accuracy HD95 regression_error pérdida
""")
HIGHER = _words("""
    acc accuracy auc auroc roc_auc ap map mAP bleu rouge meteor chrf dice iou jaccard psnr ssim r2 f1
    precision recall ndcg mrr hits reward return score elo success win_rate kappa mcc spearman likelihood
    elbo terrain_score preferred_acc timesteps_reward loss_reward loss_reduction val_acc testAccuracy
    neg_mean_squared_error mean_test_neg_log_loss -loss −mse F1Score ROC-AUC acc@1 recall@10 mAP50-95
    rougeL bleu4 R² r_squared d2_absolute_error_score explained_variance mean_reciprocal_rank log_likelihood
    true_positive_rate samples_per_second tokens/sec ep_rew_mean exactitud
""")
SILENT = _words("""
    value result x metric objective lr step gradient_norm entropy reward_std lossless terrain matter blah
""")


@pytest.mark.parametrize("name", LOWER)
def test_names_of_errors_losses_and_costs_say_that_lower_is_better(name):
    assert higher_is_better(name) is False


@pytest.mark.parametrize("name", HIGHER)
def test_names_of_shares_scores_and_gains_say_that_higher_is_better(name):
    assert higher_is_better(name) is True


@pytest.mark.parametrize("name", SILENT)
def test_a_name_that_says_nothing_is_not_guessed(name):
    assert higher_is_better(name) is None


@pytest.mark.parametrize(("name", "values", "ends"), [
    ("test_accuracy", [0.9, 1.0], (0, 1)),
    ("accuracy", [1.0000001, 0.9], (0, 1)),  # as float32 rounds it
    ("acc", [97.0, 0.8], (0, 100)),
    ("accuracy", [0.9, 140.0], (0, math.inf)),  # what a value contradicts is not claimed
    ("mcc", [0.1], (-1, 1)),
    ("r2", [0.4, -3.0], (-math.inf, 1)),
    ("rmse", [0.3], (0, math.inf)),
    ("rmse", [-0.3], (-math.inf, math.inf)),
    ("neg_mean_squared_error", [-0.1, -3.0], (-math.inf, 0)),
    ("1-accuracy", [0.1], (0, 1)),
    ("perplexity", [12.0, 20.0], (1, math.inf)),
    ("reward", [0.3, 0.2], (-math.inf, math.inf)),
])  # fmt: skip
def test_the_range_follows_the_name(name, values, ends):
    assert value_range(name, values).ends == ends


def test_the_range_of_an_unknown_metric_is_what_its_values_suggest():
    assert value_range("value", [0.99, 1.0, 0.98]).ends == (0, 1)
    assert value_range("value", [0.99, 1.0, 0.98]).known_by == "values"
    assert value_range("value", [0.2, 7.0]).ends == (0, math.inf)
    assert value_range("loss", [0.2, 0.7]).ends == (0, math.inf)
    assert value_range("value", [-0.2, 0.7]).known_by == ""


def test_differences_of_a_share_lie_between_minus_one_and_one():
    assert value_range("accuracy", [0.5]).of_differences == (-1, 1)
    assert value_range("rmse", [0.5]).of_differences == (-math.inf, math.inf)


def test_an_accuracy_is_a_share_and_an_error_of_squares_is_not():
    assert is_share("val_acc")
    assert not is_share("rmse")
