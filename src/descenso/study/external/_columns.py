"""What the columns of exports are called, and which of them hold what a verdict needs."""

from __future__ import annotations

import re

PREFIXES = ("params.", "params_", "tags.", "config.", "config/", "summary.", "metrics.", "user_attrs_",
            "hparams.", "hparams/", "hyperparameters.", "args.", "cfg.", "cfg/")  # fmt: skip
#: DVC puts the file of a parameter before it: ``params.yaml:train.optimizer``.
_OF_FILE = re.compile(r"^[\w./-]+\.(?:ya?ml|json|toml|py|csv|tsv):")
_OF_PARAMETER_FILE = re.compile(r"^(?:[\w.-]*/)*(?:h?params|config|conf|settings)[\w-]*\.\w+:")
_OF_METRIC_FILE = re.compile(r"^(?:[\w.-]*/)*(?:metrics|summary|scores|results|eval)[\w-]*\.\w+:")
_OF_SETTINGS = (
    "params.",
    "params_",
    "config.",
    "config/",
    "hparams.",
    "hparams/",
    "hyperparameters.",
    "args.",
    "cfg.",
    "cfg/",
)
_OF_METRICS = ("summary.", "metrics.")


def listed_words(text: str) -> tuple[str, ...]:
    """Return the words of a text, for lists too long for one literal each."""
    return tuple(text.split())


#: How people and trackers name what a column is, the surest name first.
KNOWN: dict[str, tuple[str, ...]] = {
    "method": listed_words(
        "method optimizer optimiser optim opt optimizer_name optimizer_type optim_name "
        "opt_name opt_type method_name method_/_optimizer optimizer_class optimizador "
        "método metodo algorithm algo alg algorithm_name "
        "algoritmo solver approach strategy agent learner policy clf classifier estimator "
        "variant treatment condition exp_name experiment_name experiment group run_group "
        "model_name model technique system submission setup label"
    ),
    "seed": listed_words(
        "seed random_seed rng_seed seeds random_state manual_seed global_seed torch_seed "
        "np_seed seed_id semilla fold cv_fold fold_id n_fold repeat repetition rep reps "
        "replicate replica repeat_id repetición trial trial_no run_no run_nr run_idx "
        "run_index run_number run rng training_seed train_seed data_seed init_seed prng rerun "
        "ejecución ejecucion corrida réplica repeticion intento pliegue run_# # no. nº n° i k n idx "
        "attempt try execution instance init partition sample subject session"
    ),
    "step": listed_words(
        "step global_step _step iteration iterations iter it iters training_iteration "
        "num_env_steps env_steps environment_steps total_env_steps timesteps "
        "total_timesteps timesteps_total num_timesteps timestep time_step time_steps "
        "total_steps num_steps training_step train_step train_steps optimizer_step steps "
        "n_updates num_updates updates update round rounds communication_round comm_round "
        "server_round epoch epochs ep batch batch_idx batch_index num_batches minibatch "
        "tokens num_tokens tokens_seen n_tokens total_tokens consumed_tokens samples "
        "num_samples samples_seen n_samples consumed_samples examples examples_seen "
        "num_examples images_seen frame frames env_frames num_frames total_frames "
        "generation generations gen episode episodes episode_num n_episodes num_episodes "
        "totalenvinteracts interactions num_env_steps_sampled num_agent_steps_sampled nfe "
        "n_evals evaluations num_evaluations queries paso pasos época epoca épocas epocas "
        "iteración iteracion iteraciones ronda ciclo generación generacion eval_step step_num "
        "steps_done gradient_steps step_count n_iter nfev evals kimg checkpoint"
    ),
    "clock": listed_words(
        "_runtime relative_time wall_time time_total_s _timestamp timestamp walltime "
        "elapsed elapsed_time time relative_time_(process) relative_time_(wall)"
    ),
    "split": listed_words("split part subset phase stage partition set"),
    "problem": listed_words(
        "problem dataset data_set task testproblem env env_id env_name environment "
        "environment_name dataset_name data benchmark domain game scenario tarea"
    ),
    "factor": listed_words(
        "model model_name model_type model_size arch architecture network net backbone "
        "encoder size width depth dataset data_set task env env_id env_name environment "
        "dataset_name game scenario benchmark domain objective function modelo red datos "
        "conjunto"
    ),
    "setting": listed_words("setting settings config hyperparameters hparams hyperparams"),
    "hyperparameter": listed_words(
        "lr learning_rate learningrate base_lr init_lr initial_lr max_lr peak_lr lr0 "
        "step_size stepsize alpha eta wd weight_decay l2 momentum mom beta beta1 beta2 "
        "beta_1 beta_2 betas eps epsilon rho gamma nesterov dampening batch_size bs "
        "batchsize train_batch_size per_device_train_batch_size dropout dropout_rate "
        "warmup warmup_steps warmup_ratio scheduler lr_scheduler lr_scheduler_type "
        "schedule clip grad_clip max_grad_norm gradient_clip_val label_smoothing "
        "tasa_de_aprendizaje"
    ),
    "state": listed_words("state status estado trial_status run_status job_status job_state "
                          "trial_state run_state sys/state"),
    "failed": listed_words("failed sys/failed is_failed has_failed crashed errored falló fallo"),
    "role": ("role",), "resolution": ("resolution",), "higher_is_better": ("higher_is_better",),
    "metric": ("metric",),
    "value": ("value", "valor"),
    "run": listed_words("name run_name tags.mlflow.runname mlflow.runname runname run_names "
                "display_name run_dir dir_name logdir experiment_tag exp run"),
    "id": listed_words("run_id trial_id run_uuid uuid runid id job_id trial_number number run_number"),
}  # fmt: skip
#: Rates as a schedule changes them are logged beside curves; these are the settings they may be.
SCHEDULED = frozenset(
    listed_words(
        "lr learning_rate learningrate step_size stepsize momentum wd weight_decay beta1 beta2"
    )
)

_BOOKKEEPING = re.compile(
    r"(?i)_?(?:wandb(?:[._/].*)?|runtime|timestamp|timestamps|date|datetime.*|time|time_.*|.*_time|wall.?time|duration"
    r"|elapsed.*|.*runtime.*|.*_per_second|.*per_sec|.*_flos|pid|port|hostname|node_ip|done|should_checkpoint"
    r"|checkpoint.*|.*_since_restore|iterations_.*|experiment_tag|logdir|log_dir|artifact_uri|start_time|end_time"
    r"|created|updated|heartbeat.*|host|user|user_id|notes|tags|sweep|sweep_name|gpu.*|system[./].*|cpu.*|mem_.*|memory.*"
    r"|lifecycle_stage|experiment_id|source.*|mlflow\..*|grad_?norm.*|.*/grad_norm|num_params|n_params|parameters"
    r"|params|unnamed.*|index|level_\d+|row|url|path|.*_path|.*_dir|dir|device|num_workers|hidden|lr-.*|fps|.*/fps"
    r"|best_step|best_epoch|best_iteration|early_stop.*|patience|epochs|max_epochs|num_epochs|max_steps|n_epochs"
    r"|hparams.*|global_rank|local_rank|rank|world_size|version|wall.*|.*_count|count|steps|perf/.*|timers/.*"
    r"|info/.*|counters/.*|config/.*seed.*|comment|created_at|finished_at|host.?name|save.*|log.*|verbose|debug|project"
    r"|system_attrs.*|entity|job_type|command|program|git.*|python.*|executable|platform|state|status|number)"
)


def bare(name: str) -> str:
    """Return a column's name in small letters, without the prefix of a tracker and its folder."""
    short = _OF_FILE.sub("", name.strip().lower())
    for prefix in PREFIXES:
        short = short.removeprefix(prefix)
    return short.replace(" ", "_")


def leaf(name: str) -> str:
    """Return the last piece of a name that is a path: ``step`` of ``trainer/global.step``."""
    return re.split(r"[/.]", bare(name))[-1]


def of_settings(name: str) -> bool:
    """Whether the prefix of a name says that the column holds what was chosen for a run."""
    plain = name.strip().lower()
    return plain.startswith(_OF_SETTINGS) or bool(_OF_PARAMETER_FILE.match(plain))


def of_metrics(name: str) -> bool:
    """Whether the prefix of a name says that the column holds what was measured."""
    plain = name.strip().lower()
    return plain.startswith(_OF_METRICS) or bool(_OF_METRIC_FILE.match(plain))


def is_bookkeeping(name: str) -> bool:
    """Whether a column is kept by a tracker for itself: times, hosts, paths, identities."""
    return bool(_BOOKKEEPING.fullmatch(bare(name))) or name.startswith(("tags.", "sys/", "sys."))


def is_hyperparameter(name: str) -> bool:
    """Whether a column holds a setting of training, by its name or its prefix."""
    return leaf(name) in KNOWN["hyperparameter"] or of_settings(name)


#: Names of a seed that may be of something else: such a column must count the runs of each method.
DOUBTFUL_SEEDS = frozenset(
    listed_words(
        "# no. nº n° i k n idx attempt try execution instance init partition sample subject session "
        "run trial rng run_no run_nr"
    )
)
