"""Run listings as a user would, one after another in one process: importing a framework takes long.

Reads a list of command lines, as JSON, from the standard input; prints, as its last line, JSON with
what became of each: what it printed, how it ended, and the steps that its optimizer took.
"""

import contextlib
import io
import json
import runpy
import sys
import traceback
import warnings
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(command, count_steps):
    printed, failure = io.StringIO(), None
    sys.argv = [str(EXAMPLES / f"{command[0]}.py"), *command[1:]]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            failure = str(end)
        except Exception:
            failure = traceback.format_exc()
    return {"printed": printed.getvalue(), "failure": failure, "steps": count_steps()}


def torch_counter():
    from torch.optim.optimizer import register_optimizer_step_post_hook

    steps = []
    register_optimizer_step_post_hook(lambda *_about: steps.append(1))
    return lambda: taken(steps)


def keras_counter():
    from descenso.keras import RuleOptimizer

    made, build = [], RuleOptimizer.build

    def remember(optimizer, variables):
        made.append(optimizer)
        build(optimizer, variables)

    RuleOptimizer.build = remember
    return lambda: made and int(made[-1].iterations)


def taken(steps):
    count = len(steps)
    steps.clear()
    return count


def main(framework):
    warnings.simplefilter("error")
    # Keras's own, on every backend but TensorFlow.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="keras")
    sys.path.insert(0, str(EXAMPLES))
    counter = torch_counter() if framework == "torch" else keras_counter()
    outcomes = [run(command, counter) for command in json.load(sys.stdin)]
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(sys.argv[1])
