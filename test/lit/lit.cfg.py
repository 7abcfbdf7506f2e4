# Text in, text out: each file says in its RUN lines what is run and in its CHECK lines what must come.
# tools/test names the folders of the programs in the environment.
import os

import lit.formats

config.name = "mutstream"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mut", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)

root = os.path.dirname(os.path.dirname(config.test_source_root))
bin_dir = os.environ.get("MUT_BIN", os.path.join(root, "build", "bin"))
llvm_dir = os.environ.get("MUT_LLVM_BIN", "/usr/lib/llvm-19/bin")
config.test_exec_root = os.path.join(os.path.dirname(bin_dir), "lit")

config.environment["PATH"] = os.pathsep.join([bin_dir, llvm_dir, os.environ.get("PATH", "")])
config.environment["NO_COLOR"] = "1"
for name in ("MUT_DATA", "MUT_REQUIRE_DATA", "ASAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions.append(("%data", os.environ.get("MUT_DATA", os.path.join(root, "..", "shared", "data"))))
if os.path.isdir(os.environ.get("MUT_DATA", "")):
    config.available_features.add("data")
# Sanitizers put code of their own into kernels: what their IR looks like is no claim of ours.
if not any(name in bin_dir for name in ("/asan/", "/tsan/")):
    config.available_features.add("plain-kernels")
