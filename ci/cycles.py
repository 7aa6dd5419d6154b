#!/usr/bin/env python3
"""Modelled cycles of the loops of a program on a Cortex-M4F.

    cycles.py PROGRAM [--function REGEX] [--zero REGISTER]... [--per N] [--list]

For each innermost loop that uses the FPU, in the functions that match: elements a turn, and instructions and cycles of
one element. Forward branches are not taken, but for `cbz` of a register that --zero names: what is folded into the
loop of a rule is behind them. Elements are counted by the widest load of the loop, unless --per says how many.

The model issues one instruction at a time, in order. Arm's technical reference manual of the Cortex-M4 (r0p1, tables
3-1 and 7-1) gives the cycles: 1 for integer instructions, VADD, VSUB, VMUL, VCMP and VMOV; 3 for VMLA, VMLS and VFMA;
14 for VDIV and VSQRT, during which integer instructions go on and FPU instructions wait; 1 + n for n registers of
VLDM, VSTM, LDM and STM; 2 for a load, 1 behind another access to memory, and 1 for a store; 1 for a branch that is not
taken, and 1 and a refill of 1 to 3 for one that is, here 2. Whoever reads a result of VADD, VSUB, VMUL, VMLA, VDIV or
VSQRT in the next cycle waits for one.

Not in it: wait states of the flash, other masters on the bus, interrupts. Arm publishes no such table for Cortex-M33
and M7. Back-to-back VFMA have been measured at 2 cycles on silicon: for VMLA the model is pessimistic.
"""

import argparse
import re
import subprocess

REFILL = 2
FUSED = {"vmla", "vmls", "vfma", "vfms", "vnmla", "vnmls"}
LATE = FUSED | {"vadd", "vsub", "vmul", "vnmul"}  # results that are there one cycle later
LONG = {"vdiv", "vsqrt"}
BLOCKS = {"vldmia", "vldm", "vstmia", "vstm", "ldmia", "ldm", "stmia", "stm", "push", "pop", "vpush", "vpop"}
STORES = {"vstmia", "vstm", "vstr", "vpush", "vcmp", "vcmpe"}
BRANCH = re.compile(r"^(b(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?|cbn?z)(\.[nw])?$")


def registers(text):
    """The registers that operands name, ranges spelled out."""
    found = []
    for kind, first, last in re.findall(r"\b([srd])(\d+)(?:-[srd](\d+))?", text):
        for k in range(int(first), int(last or first) + 1):
            found += [f"s{2 * k}", f"s{2 * k + 1}"] if kind == "d" else [f"{kind}{k}"]
    return found


def listed(operands):
    """How many registers a block transfer moves."""
    return len(registers(operands[operands.index("{"):])) if "{" in operands else 1


def cycles(turn):
    """Cycles of the instructions of one turn, the last of which is the branch back."""
    now, fpu_free, ready, before = 0, 0, {}, None
    for k, (_, name, operands) in enumerate(turn):
        op, last = name.split(".")[0].split()[0], k + 1 == len(turn)
        used, cost = registers(operands), 1
        if op in FUSED:
            cost = 3
        elif op in BLOCKS:
            cost = 1 + listed(operands)
        elif op.startswith(("ldr", "vldr")):
            cost = 1 if before == "memory" else 2
        elif name.endswith(" taken") or BRANCH.match(name) and last:
            cost = 1 + REFILL
        elif op == "vmrs":
            cost = 2
        if op[0] == "v":
            reads = used if op in FUSED | STORES else used[1:]
            now = max([now, fpu_free] + [ready.get(register, 0) for register in reads])
        if op in LONG:
            fpu_free = now + 14
            ready[used[0]] = fpu_free + 1
        elif op in LATE:
            ready[used[0]] = now + cost + 1
        now += cost
        before = "memory" if op.startswith(("ldr", "str", "vldr", "vstr")) else None
    return max(now, fpu_free)


def functions(program):
    """Each function with its instructions: address, name, operands."""
    text = subprocess.run(["arm-none-eabi-objdump", "-d", "-C", "--no-show-raw-insn", program],
                          capture_output=True, text=True, check=True).stdout
    found = []
    for line in text.splitlines():
        if head := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            found.append((head[1], []))
        elif found and (code := re.match(r"^\s*([0-9a-f]+):\s+([a-z]\S*)\s*([^;@]*)", line)):
            found[-1][1].append((int(code[1], 16), code[2], code[3].strip()))
    return found


def loops(code):
    """The innermost loops: from the target of a branch back to the branch, with no other inside."""
    place = {at: k for k, (at, _, _) in enumerate(code)}
    spans = []
    for k, (_, name, operands) in enumerate(code):
        to = re.search(r"\b([0-9a-f]+) <", operands) if BRANCH.match(name) else None
        start = place.get(int(to[1], 16)) if to else None
        if start is not None and start <= k:
            spans.append((start, k))
    inner = [a for a in spans if not any(b != a and b[0] >= a[0] and b[1] <= a[1] for b in spans)]
    return [code[start:end + 1] for start, end in inner]


def path(turn, zero):
    """The instructions that run where the registers `zero` are 0."""
    ran, until = [], 0
    for at, name, operands in turn:
        if at < until:
            continue
        if name.startswith("cbz") and registers(operands)[:1] and registers(operands)[0] in zero:
            until = int(re.search(r"\b([0-9a-f]+) <", operands)[1], 16)
            name += " taken"
        ran.append((at, name, operands))
    return ran


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--function", default=".", help="a regular expression")
    parser.add_argument("--zero", action="append", default=[], help="a register whose `cbz` is taken")
    parser.add_argument("--per", type=int, help="elements a turn; of a product, its multiply-adds")
    parser.add_argument("--list", action="store_true", help="the instructions too")
    arguments = parser.parse_args()
    for name, code in functions(arguments.program):
        if not re.search(arguments.function, name):
            continue
        for turn in loops(code):
            turn = path(turn, arguments.zero)
            if not any(op.startswith("v") for _, op, _ in turn):
                continue
            widest = max((listed(operands) for _, op, operands in turn if op.startswith("vld")), default=1)
            per = arguments.per or widest
            print(f"{name[:60]}: {per} a turn, {len(turn) / per:.2f} instructions, {cycles(turn) / per:.2f} cycles")
            if arguments.list:
                for at, op, operands in turn:
                    print(f"    {at:x} {op} {operands}")


if __name__ == "__main__":
    main()
