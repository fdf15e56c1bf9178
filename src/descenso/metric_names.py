"""What the name of a metric says: which values are the better ones, and where they can lie."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_ANYWHERE = (-math.inf, math.inf)
_ROUNDING = 1e-6  # a float32 accuracy may come out as 1.0000001


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOWER = _set(
    # losses and errors
    "loss losses error errors err errs nll bce ce xent crossentropy logloss deviance objective_loss "
    "mse rmse nrmse msle rmsle mae mape smape wmape wape mase mdape medae maxerror sse rss huber "
    "hinge poisson cosh pinball crps brier ece mce residual residuals deviation discrepancy "
    "misclassification "
    "mistake mistakes wrong perdida pérdida perdidas pérdidas errores coste costo "
    # language and speech
    "ppl perplexity perplejidad wer cer ter mer der bpb bpc bpd bpp nats perp hallucination "
    "hallucinations toxicity "
    # images, geometry, verification
    "fid kid fvd fad lpips niqe brisque distance distances dist hausdorff hd hd95 asd assd chamfer "
    "epe ade fde absrel sqrel silog wasserstein emd mmd divergence kl kld jsd eer fpr fnr fdr far frr "
    "false distortion inertia bouldin "
    # search and control
    "regret violation violations cost costs penalty penalties risk collision collisions crash crashes "
    "failure failures failed fail fails drawdown aic bic miss misses "
    # what is lost
    "drop gap degradation decrease deficit forgetting overhead rank mr wait"
)
_SPENT = _set(
    "time times runtime walltime wallclock duration elapsed tiempo latency delay seconds secs sec "
    "segundos milliseconds ms minutes hours flops gflops tflops macs memory mem memoria energy "
    "energia energía joules watts power emissions co2 carbon bytes"
)
_LOWER |= _SPENT
_HIGHER = _set(
    "accuracy accuracies acc bacc exactitud correct correctness aciertos match matches em pass "
    "agreement auc auroc rocauc aucroc auprc aucpr prauc ap map mar precision prec precisión recall "
    "rec recuperación sensitivity specificity tpr tnr ppv npv f1 fbeta fscore fmeasure f1score gmean "
    "dice dsc iou miou jaccard psnr ssim msssim snr sdr sisdr sisnr pesq stoi mos vmaf bleu sacrebleu "
    "rouge rougel rougelsum meteor chrf comet bertscore cider spice gleu bleurt r2 rsquared r² nse kge "
    "ndcg dcg mrr hit hits coverage reward rewards rew return returns recompensa ret elo success "
    "successes win wins winrate solved kappa qwk mcc phi matthews spearman pearson kendall "
    "correlation corr rho concordance cindex likelihood loglikelihood loglik logprob logp ll llh elbo "
    "evidence similarity cosine purity nmi ami ari silhouette homogeneity completeness throughput "
    "fps qps ips speed speedup efficiency improvement gain lift reduction saved saving savings increase "
    "fitness performance perf quality utility profit revenue sharpe sortino skill top1 top5 top top3 top10 "
    "survival lifetime mejora calidad correlación correlacion sensibilidad especificidad exhaustividad"
)
#: Of "top-1 error" the other word decides.
_QUALIFIERS = _set("top1 top5 top top3 top10")
#: They decide where nothing else in the name does: an "error score" is an error.
_WEAK_HIGHER = _set("score scores puntuacion puntuación puntaje merit goodness rating")
_NEGATED = _set("neg negative negated minus inverse inverted inv")
#: Two words that mean something else than each by itself.
_PHRASES = {
    ("reciprocal", "rank"): "mrr", ("explained", "variance"): "r2", ("explained", "var"): "r2",
    ("r", "squared"): "r2", ("r", "2"): "r2", ("f", "1"): "f1", ("f", "score"): "f1",
    ("f", "measure"): "f1", ("f", "beta"): "f1", ("log", "prob"): "likelihood",
    ("log", "probability"): "likelihood", ("log", "p"): "likelihood", ("log", "loss"): "logloss",
    ("cross", "entropy"): "crossentropy", ("true", "positive"): "recall", ("true", "positives"): "recall",
    ("io", "u"): "iou", ("true", "negatives"): "specificity", ("false", "positives"): "false",
    ("false", "negatives"): "false",
    ("true", "negative"): "specificity", ("false", "negative"): "false",
    ("false", "positive"): "false", ("negative", "predictive"): "npv",
    ("positive", "predictive"): "ppv", ("rank", "correlation"): "correlation",
    ("bits", "per"): "bpb", ("bit", "per"): "bpb", ("nats", "per"): "bpb", ("si", "sdr"): "sdr",
    ("top", "1"): "top1", ("top", "5"): "top5", ("top", "k"): "top", ("c", "index"): "cindex",
    ("roc", "auc"): "auc", ("pr", "auc"): "auc", ("mean", "rank"): "rank", ("rand", "index"): "ari",
    ("mutual", "information"): "nmi", ("intersection", "over"): "iou", ("v", "measure"): "nmi",
    ("information", "gain"): "gain", ("edit", "similarity"): "similarity", ("win", "rate"): "win",
    ("exact", "match"): "match", ("calinski", "harabasz"): "quality", ("log", "perplexity"): "ppl",
    ("word", "error"): "wer", ("character", "error"): "cer", ("char", "error"): "cer",
    ("phoneme", "error"): "wer", ("token", "error"): "wer", ("translation", "error"): "ter",
    ("squared", "error"): "mse", ("square", "error"): "mse", ("absolute", "error"): "mae",
    ("percentage", "error"): "mape", ("error", "rate"): "misclassification",
    ("cost", "return"): "cost", ("cost", "returns"): "cost",
    ("total", "variation"): "divergence", ("earth", "mover"): "emd", ("d", "prime"): "quality",
}  # fmt: skip
#: Of "time to accuracy" and "loss at best accuracy" what stands before decides; what is spent to get
#: there is the less the better.
_BEFORE = _set(
    "to until till before of in at for over hasta under given vs versus from por de del best"
)
#: So does what stands before these signs: "FPR@95TPR", "error (top-1)", "reward - cost".
_BEHIND = re.compile(r"[@(\[]|\s[-−–]\s")
_SAYS_LOWER = re.compile(
    r"(?i)↓|⬇|\b(?:lower|smaller|less)(?:[\s_-]+is)?[\s_-]+better\b|\bminimi[sz]e\b"
)
_SAYS_HIGHER = re.compile(
    r"(?i)↑|⬆|\b(?:higher|larger|more)(?:[\s_-]+is)?[\s_-]+better\b|\bmaximi[sz]e\b"
)
_PERCENT = re.compile(r"(?i)%|\b(?:percent|percentage|pct|porcentaje)\b")
_COUNTED = _set("steps step epochs epoch iterations iters iter evaluations evals rounds episodes "
                "trials updates samples examples tokens queries calls batches pasos épocas")  # fmt: skip
_UNTIL = _set("to until till before hasta")
#: What a machine does or moves: of it, the more in a second the better.
_MADE = _set("bytes flops gflops tflops macs")
_PER_TIME = _set("second seconds sec secs s minute min hour h segundo")
#: A spread of a metric is no metric.
_SPREADS = _set("std stddev stdev variance var sem stderr")

_UNIT = _set(
    "accuracy accuracies acc bacc exactitud correct match matches em pass auc auroc rocauc aucroc "
    "auprc aucpr prauc ap map mar precision prec precisión recall rec sensitivity specificity tpr tnr "
    "ppv npv f1 fbeta fscore f1score dice dsc iou miou jaccard bleu sacrebleu rouge rougel rougelsum "
    "meteor chrf ndcg mrr hit hits success win winrate solved top1 top3 top5 top10 top eer fpr fnr fdr "
    "far frr ece misclassification purity nmi concordance cindex"
)
_SIGNED = _set("mcc phi matthews kappa qwk spearman pearson kendall correlation corr rho cosine "
               "ssim msssim silhouette ari")  # fmt: skip
_AT_MOST_ONE = _set("r2 rsquared r² nse kge")
_AT_LEAST_ONE = _set("ppl perplexity perplejidad")
_NON_NEGATIVE = _set(
    "mse rmse nrmse msle rmsle mae mape smape wmape wape mase mdape medae sse rss brier wer cer ter "
    "mer der fid fvd fad lpips crps distance distances dist hausdorff hd hd95 asd assd chamfer epe ade "
    "fde wasserstein emd divergence kl kld jsd time times runtime walltime wallclock duration elapsed "
    "tiempo latency delay seconds secs sec segundos milliseconds ms minutes hours flops gflops tflops "
    "macs memory mem memoria energy energia energía joules emissions co2 carbon bytes throughput fps "
    "qps ips bpb bpc bpd logloss bce ce crossentropy xent failures collisions crashes"
)


@dataclass(frozen=True)
class Range:
    """Where the values of a metric can lie.

    ``known_by`` is ``name``, ``values`` where all values seen suggest it, or an empty text.
    """

    low: float = -math.inf
    high: float = math.inf
    known_by: str = ""

    @property
    def ends(self) -> tuple[float, float]:
        """Return both ends."""
        return self.low, self.high

    @property
    def of_differences(self) -> tuple[float, float]:
        """Return where the difference of two values can lie."""
        width = self.high - self.low
        return (-width, width) if math.isfinite(width) else _ANYWHERE


@dataclass(frozen=True)
class _Meaning:
    word: str  # the word that decides; empty where none does
    flipped: bool  # the values are the negative ones
    from_one: bool  # the values are 1 less the metric


def higher_is_better(name: str) -> bool | None:
    """Return whether higher values are the better ones, by the whole words of a metric's name.

    ``None`` where the name says nothing. ``neg_``, a leading minus and ``1 - `` turn it round, as
    in scikit-learn's ``neg_mean_squared_error``; an arrow or "lower is better" decides.

    Examples
    --------
    >>> higher_is_better("val_bpb"), higher_is_better("terrain_score"), higher_is_better("value")
    (False, True, None)
    """
    lower, higher = bool(_SAYS_LOWER.search(name)), bool(_SAYS_HIGHER.search(name))
    if lower or higher:
        return None if lower and higher else higher
    meaning = _meaning(name)
    if not meaning.word:
        return None
    higher = meaning.word in _HIGHER or meaning.word in _WEAK_HIGHER
    return higher != (meaning.flipped or meaning.from_one)


def is_spent(name: str) -> bool:
    """Whether a metric of that name is what a run spends, such as time or memory."""
    return _meaning(name).word in _SPENT


def value_range(name: str, values: Iterable[float]) -> Range:
    """Return where the values of a metric can lie: by its name, or as its values suggest.

    What a value contradicts is not claimed. A share with a value above 1 is one in percent.

    Parameters
    ----------
    values : all values seen; those that are not finite are ignored.
    """
    seen = [v for v in map(float, values) if math.isfinite(v)]
    whole = 100.0 if _PERCENT.search(name) else 1.0
    low, high = _by_name(_meaning(name), seen, whole)
    named = (low, high) != _ANYWHERE
    if not named:
        low, high = _by_values(_meaning(name).word, seen, whole)
    low = low if all(v >= low - _ROUNDING for v in seen) else -math.inf
    high = high if all(v <= high + _ROUNDING for v in seen) else math.inf
    known = (low, high) != _ANYWHERE
    return Range(low, high, ("name" if named else "values") if known else "")


def is_share(name: str) -> bool:
    """Whether a metric of that name is a share of examples or the like: 0 to 1, or to 100%."""
    return _meaning(name).word in _UNIT


def _by_name(meaning: _Meaning, seen: Sequence[float], whole: float) -> tuple[float, float]:
    word = meaning.word
    signed = word in _SIGNED
    most = max((abs(v) if signed else -v if meaning.flipped else v for v in seen), default=0.0)
    one = whole if most <= whole + _ROUNDING else 100.0
    ends = (
        (0.0, one) if word in _UNIT
        else (-one, one) if signed
        else (-math.inf, one) if word in _AT_MOST_ONE
        else (1.0, math.inf) if word in _AT_LEAST_ONE
        else (0.0, math.inf) if word in _NON_NEGATIVE
        else _ANYWHERE
    )  # fmt: skip
    if meaning.from_one:
        ends = (one - ends[1], one - ends[0])
    return (0.0 - ends[1], 0.0 - ends[0]) if meaning.flipped else ends


def _by_values(word: str, seen: Sequence[float], whole: float) -> tuple[float, float]:
    """Return what the values suggest: a share where nothing is known but that all are in 0 to 1."""
    if not seen or min(seen) < 0 or len(set(seen)) < 2 or word in _HIGHER:
        return _ANYWHERE
    unknown = not word or word in _WEAK_HIGHER or word in ("error", "errors", "err", "errs")
    return (0.0, whole if unknown and max(seen) <= whole else math.inf)


def _meaning(name: str) -> _Meaning:
    bare = name.strip()
    for prefix in ("metrics.", "summary.", "params."):
        bare = bare.removeprefix(prefix)
    minus = bool(re.match(r"\s*[-−–]\s*\D", bare))
    one = re.match(r"(?i)\s*(?:100\s*%?|1|one)[\s_]*(?:[-−–]|minus)[\s_]*", bare)
    bare = bare[one.end() :] if one else bare
    words = _words(bare)
    head = _words(_BEHIND.split(bare.lstrip("-−– "), maxsplit=1)[0])
    if _strong(head) and not any(word in _SPREADS for word in words):
        words = head
    words, flips = _without_negations(words)
    word = _deciding(words)
    return _Meaning(word, minus != (flips % 2 == 1), bool(one))


def _without_negations(words: list[str]) -> tuple[list[str], int]:
    """Take out what negates the words behind it."""
    negations = [
        i
        for i, word in enumerate(words)
        if word in _NEGATED and _deciding(words[i + 1 :]) and words[i - 1 : i] != ["non"]
    ]
    return [w for i, w in enumerate(words) if i not in negations], len(negations)


def _words(name: str) -> list[str]:
    """Return the whole words in a name: split at signs, spaces and within camelCase."""
    found: list[str] = []
    name = re.sub(r"(?i)/(?=(?:s|sec|secs|second|min|minute|h|hour)\b)", " per ", name)
    for piece in re.split(r"[^\w²]+|_+", name):
        if not piece:
            continue
        if _known(piece.lower()):
            found.append(piece.lower())
            continue
        camel = re.findall(r"[A-Z]+(?![a-zà-ÿ])\d*|[A-ZÀ-Þ]?[a-zà-ÿ²]+\d*|\d+|[A-Z]+\d*", piece)
        found.extend(part.lower() for part in (camel or [piece]))
    return _with_phrases([_singular(word) for word in found])


def _with_phrases(words: list[str]) -> list[str]:
    made: list[str] = []
    for word in words:
        if made and (made[-1], word) in _PHRASES:
            made[-1] = _PHRASES[made[-1], word]
        else:
            made.append(word)
    return made


def _known(word: str) -> bool:
    return word in _LOWER or word in _HIGHER or word in _WEAK_HIGHER


def _singular(word: str) -> str:
    """Return a word without the number behind it, where that makes it a known one: ap50, bleu4."""
    bare = word.rstrip("0123456789")
    return bare if not _known(word) and _known(bare) else word


def _deciding(words: Sequence[str]) -> str:
    """Return the word that decides: the last one that says something, before any "to" or "of"."""
    if any(word in _SPREADS for word in words):
        return ""
    if "d2" in words:  # scikit-learn's shares of an error that is explained
        return "r2"
    rate = _per_time(words)
    if rate is not None:
        return rate
    for i, word in enumerate(words):
        if word == "per" or (word in _BEFORE and i and _strong(words[:i])):
            return _strong(words[:i]) or _strong(words)
        if word in _UNTIL and any(w in _COUNTED for w in words[:i]):
            return "time"
    return _strong(words) or next((w for w in reversed(words) if w in _WEAK_HIGHER), "")


def _per_time(words: Sequence[str]) -> str | None:
    """Return ``throughput`` for "samples per second", ``time`` for "seconds per step"."""
    for i, word in enumerate(words[:-1]):
        if i and word == "per":
            if words[i + 1] in _PER_TIME:
                before = _strong(words[:i])
                return before if before in _LOWER - _MADE else "throughput"
            if any(w in _PER_TIME for w in words[:i]):
                return "time"
    return None


def _strong(words: Sequence[str]) -> str:
    found = [w for w in words if w in _LOWER or w in _HIGHER]
    found = [w for w in found if w not in _QUALIFIERS] or found
    return found[-1] if found else ""
