# Links the library for the board's compiler flags, which name its CPU and its way to pass floats.
import os

Import("env")


def target(flags):
    """The folder of lib/ for compiler flags; build.gradus_target in platformio.ini overrides it."""
    flags = [flag for flag in flags if isinstance(flag, str)]
    value = {flag.split("=")[0]: flag.split("=")[1] for flag in flags if "=" in flag}
    cpu, abi, march = value.get("-mcpu", ""), value.get("-mfloat-abi", "soft"), value.get("-march", "")
    cpu = cpu.split("+")[0]
    if cpu in ("cortex-m0", "cortex-m0plus", "cortex-m1"):
        return "thumbv6m"
    if cpu == "cortex-m3":
        return "thumbv7m"
    if cpu in ("cortex-m4", "cortex-m7"):
        return "thumbv7em-" + abi
    if cpu == "cortex-m23":
        return "thumbv8m.base"
    if cpu in ("cortex-m33", "cortex-m35p", "cortex-m55", "cortex-m85"):
        return "thumbv8m.main-" + abi
    if march.startswith("rv32"):
        letters = march[4:].split("_")[0].replace("g", "imafd")
        # What GCC takes for these letters unless it is told.
        abi = value.get("-mabi", "ilp32d" if "d" in letters else "ilp32f" if "f" in letters else "ilp32")
        if abi == "ilp32f" and set("imafc") <= set(letters):
            return "riscv32imafc"
        if abi == "ilp32" and set("imc") <= set(letters):
            return "riscv32imac" if "a" in letters else "riscv32imc"
    raise SystemExit("gradus has no library for " + " ".join(flags))


name = env.GetProjectOption("custom_gradus_target", "") or target(env.get("CCFLAGS", []) + env.get("LINKFLAGS", []))
opt = env.GetProjectOption("custom_gradus_opt", "s")
# The script of a library runs in its folder.
env.Append(LIBPATH=[os.path.realpath(os.path.join("lib", name, opt))], LIBS=["gradus"], LINKFLAGS=["-Wl,--gc-sections"])
