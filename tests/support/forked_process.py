"""What a forked process does: it becomes `python -c code`. Imports nothing that the code could miss."""

import atexit
import os
import sys
import threading
import traceback
import types

from tests.support import fast_to_compile


def run(code, arguments, environment, folder, output, errors):
    """Runs code as a script; the process ends with its exit status."""
    for name, descriptor in ((output, 1), (errors, 2)):
        file = os.open(name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:0] = ["", *environment["PYTHONPATH"].split(os.pathsep)]
    sys.argv = ["-c", *arguments]
    # On TensorFlow Keras is there already.
    fast_to_compile.apply(environment["KERAS_BACKEND"])
    sys.stdout, sys.stderr = (os.fdopen(os.dup(one), "w", buffering=1) for one in (1, 2))
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    script = sys.modules["__main__"] = types.ModuleType("__main__")
    status = 0
    try:
        exec(compile(code, "<string>", "exec"), script.__dict__)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
