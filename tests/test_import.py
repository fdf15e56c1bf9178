"""What `import descenso` may cost, and what it must not bring along."""

import subprocess
import sys

import descenso


def _fresh(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_descenso_imports_no_framework():
    heavy = "{'torch', 'tensorflow', 'keras', 'jax', 'pandas', 'plotly', 'scipy', 'sklearn'}"
    assert _fresh(f"import sys, descenso; print({heavy} & set(sys.modules))") == "set()"


def test_listing_methods_and_problems_imports_no_framework():
    code = (
        "import sys; from descenso.cli import run; run(['methods']); run(['problems']); "
        "print({'torch', 'tensorflow', 'keras', 'jax'} & set(sys.modules))"
    )
    assert _fresh(code).splitlines()[-1] == "set()"


def test_every_public_name_is_there_and_no_other():
    assert dir(descenso) == [
        "DescensoError", "Study", "__version__", "adopt", "compare", "compare_all",
        "convert_state", "jax", "keras", "methods", "numpy", "problems", "rules", "schedules",
        "torch", "train", "transforms",
    ]  # fmt: skip
    for name in dir(descenso):
        assert getattr(descenso, name) is not None


def test_an_operation_adapter_is_not_imported_before_its_arrays_arrive():
    code = (
        "import sys, numpy; from descenso import ops; ops.namespace(numpy.zeros(1)); "
        "print('jax' in sys.modules, 'torch' in sys.modules)"
    )
    assert _fresh(code) == "False False"


def test_a_framework_that_is_not_installed_is_named_with_the_extra_that_brings_it():
    code = (
        "import sys; sys.modules['torch'] = None; import descenso\n"
        "try: descenso.torch.Adam\n"
        "except ImportError as error: print(error)"
    )
    assert "descenso[torch]" in _fresh(code)
