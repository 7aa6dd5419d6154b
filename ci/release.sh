# The archive for C and C++ users without a Rust toolchain. Read by ci.sh.

# A line for each library: its folder, Rust's target, flags for Rust, the CPU and flags for a C compiler to try it.
release_targets() {
  local fpu='--cfg gradus_level="fpu"'
  cat <<END
thumbv6m|thumbv6m-none-eabi||-mcpu=cortex-m0
thumbv7m|thumbv7m-none-eabi||-mcpu=cortex-m3
thumbv7em-soft|thumbv7em-none-eabi||-mcpu=cortex-m4 -mfloat-abi=soft
thumbv7em-softfp|thumbv7em-none-eabi|-Ctarget-cpu=cortex-m4 $fpu|-mcpu=cortex-m4 -mfloat-abi=softfp -mfpu=fpv4-sp-d16
thumbv7em-hard|thumbv7em-none-eabihf||-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16
thumbv8m.base|thumbv8m.base-none-eabi||-mcpu=cortex-m23
thumbv8m.main-soft|thumbv8m.main-none-eabi||-mcpu=cortex-m33+nofp -mfloat-abi=soft
thumbv8m.main-softfp|thumbv8m.main-none-eabi|-Ctarget-cpu=cortex-m33 $fpu|-mcpu=cortex-m33 -mfloat-abi=softfp
thumbv8m.main-hard|thumbv8m.main-none-eabihf||-mcpu=cortex-m33 -mfloat-abi=hard
thumbv8m.main-helium|thumbv8m.main-none-eabihf|$HELIUM|-mcpu=cortex-m55 -mfloat-abi=hard
riscv32imc|riscv32imc-unknown-none-elf||-march=rv32imc -mabi=ilp32
riscv32imac|riscv32imac-unknown-none-elf||-march=rv32imac -mabi=ilp32
riscv32imafc|riscv32imafc-unknown-none-elf||-march=rv32imafc -mabi=ilp32f
x86_64-linux-gnu|x86_64-unknown-linux-gnu||
x86_64-linux-musl|x86_64-unknown-linux-musl||
aarch64-linux-gnu|aarch64-unknown-linux-gnu||
END
}

# release_library TARGET FORM FLAGS SOURCE BUILD: prints the path of a static library, built in SOURCE without its paths. The
# form is an opt-level, or `small`: s without assembly, with one loop for all products.
release_library() {
  local target=$1 opt=$2 flags=$3 source=$4 build=$5 features="--no-default-features --features ffi,panic-handler"
  [ "$opt" != small ] || { opt=s flags+=' --cfg gradus_size="small"'; }
  [[ $target != *linux* ]] || features="--features ffi"
  rustup target add "$target" >/dev/null 2>&1 || return 1
  # shellcheck disable=SC2086
  (
    cd "$source"
    export CARGO_TARGET_DIR=$build CARGO_PROFILE_RELEASE_OPT_LEVEL=$opt CARGO_PROFILE_RELEASE_LTO=fat \
      CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_PANIC=abort CARGO_PROFILE_RELEASE_DEBUG=false \
      CARGO_PROFILE_RELEASE_STRIP=none
    export RUSTFLAGS="--remap-path-prefix=$source=gradus --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo $flags"
    cargo rustc --quiet --locked --lib --release $features --target "$target" --crate-type staticlib
  ) || return 1
  echo "$build/$target/release/libgradus.a"
}

# llvm TOOL ARGUMENT..: a tool of the component llvm-tools, or Rust's linker.
llvm() {
  "$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/$1" "${@:2}"
}

# localise IN OUT: one object with all that gradus_* needs; no other name leaves it, and nothing in it names another's.
localise() {
  local work symbols
  work=$(mktemp -d)
  symbols=$(llvm llvm-nm --defined-only --extern-only "$1" 2>/dev/null | awk '$2 == "T" && $3 ~ /^gradus_/ { print "-u", $3 }' | sort -u)
  # shellcheck disable=SC2086
  llvm rust-lld -flavor gnu -r $symbols "$1" -o "$work/gradus.o"
  llvm llvm-objcopy --wildcard --keep-global-symbol='gradus_*' --strip-debug "$work/gradus.o"
  llvm llvm-objcopy --strip-unneeded --remove-section=.comment --remove-section=.llvmbc --remove-section=.llvmcmd "$work/gradus.o"
  rm -f "$2"
  llvm llvm-ar rcsD "$2" "$work/gradus.o"
  rm -r "$work"
}

# undefined LIBRARY: the names that it asks others for.
undefined() {
  llvm llvm-nm --undefined-only "$1" 2>/dev/null | awk '$1 == "U" { print $2 }' | sort -u
}

# release_check FOLDER LIBRARY COMPILER-FLAGS OUT: its names, and the test of every function under QEMU where there is one.
release_check() {
  local folder=$1 library=$2 flags=$3 out=$4 names cpu machine
  names=$(llvm llvm-nm --defined-only --extern-only "$library" | awk 'NF == 3 && $3 !~ /^gradus_/ { print $3 }')
  [ -z "$names" ] || { echo "$folder: these names leave the library: $names" >&2; return 1; }
  [[ $folder = *linux* ]] || [ -z "$(undefined "$library")" ] || { echo "$folder asks for $(undefined "$library")" >&2; return 1; }
  case $folder in
    thumbv6m) machine=mps2-an385 cpu=cortex-m3 ;; # a superset; the board of a Cortex-M0 has too little memory
    thumbv7m) machine=mps2-an385 cpu=cortex-m3 ;;
    thumbv7em-*) machine=mps2-an386 cpu=cortex-m4 ;;
    thumbv8m.base) machine=mps2-an505 cpu=cortex-m33 ;;
    thumbv8m.main-helium) machine=mps3-an547 cpu=cortex-m55 ;;
    thumbv8m.*) machine=mps2-an505 cpu=cortex-m33 ;;
    x86_64-linux-gnu)
      gcc -std=c99 -O1 -ffp-contract=off -Iinclude tests/c/{bits,fused}.c "$library" -lm -lpthread -ldl -o "$out/bits"
      "$out/bits" | diff "$out/bits.txt" -
      return ;;
    riscv32ima*c)
      # shellcheck disable=SC2086
      riscv64-unknown-elf-gcc -std=c99 -O2 -ffp-contract=off $flags --specs=picolibc.specs --oslib=semihost --crt0=hosted \
        -Wl,--gc-sections -Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=0x400000,--defsym=__ram=0x80400000,--defsym=__ram_size=0x200000 \
        -Iinclude tests/c/{bits,fused}.c "$library" -o "$out/bits"
      timeout 300 qemu-system-riscv32 -machine virt -cpu rv32 -nographic -monitor none -serial none -bios none \
        -semihosting-config enable=on,target=native -kernel "$out/bits" 2>&1 | diff "$out/bits.txt" -
      return ;;
    *) return 0 ;;
  esac
  # The boards differ in where flash and memory begin; the examples in Rust say it for each.
  local board=examples/firmware/boards/$machine.x
  [ -e "$board" ] || board=examples/firmware/boards/nrf52840.x
  # All functions together, fast, are more than the tightly coupled memory that a Cortex-M55 begins in.
  local code='s/^//' more=
  if [ $machine = mps3-an547 ]; then
    more='  CODE : ORIGIN = 0x01000000, LENGTH = 2M'
    code='s/> FLASH/> CODE/; s/[.]text : { KEEP(\*([.]vectors)) /.vectors : { KEEP(*(.vectors)) } > FLASH\n  .text : { /'
  fi
  {
    printf 'MEMORY {\n%s\n%s\n}\n' "$(grep -E '^ *(FLASH|RAM) ' "$board")" "$more"
    sed -n '/^ENTRY/,$p' examples/firmware/c/nrf52840.ld | sed "$code"
  } >"$out/board.ld"
  # shellcheck disable=SC2086
  arm-none-eabi-gcc -std=c99 -O2 -ffp-contract=off $flags -mthumb -nostartfiles --specs=rdimon.specs \
    -Wl,--gc-sections,--no-warn-execstack,--defsym=end=bss_end -T "$out/board.ld" -Iinclude -Iexamples/firmware/c \
    tests/c/bare.c tests/c/{bits,fused}.c "$library" -o "$out/bits"
  timeout 300 qemu-system-arm -machine $machine -cpu $cpu -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$out/bits" 2>&1 | diff "$out/bits.txt" -
}

# fill FILE: a template of packaging/ with the version in it.
fill() {
  sed "s/@VERSION@/$version/g; s/@MINOR@/${version%.*}/g" "packaging/$1"
}

## release [FOLDER..]: gradus-VERSION-c.tar.xz: a library for each target and the files of every tool, tried (an hour; some of them)
release() {
  local version out root folder target flags cflags opt library tried="" chosen=" $* "
  apt xz-utils gcc gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm || { missing "no compilers for a release"; return 0; }
  apt gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc || { missing "no RISC-V compiler"; return 0; }
  rustup component add llvm-tools >/dev/null 2>&1 || true
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
  out=$(mktemp -d)
  root=$out/gradus-$version-c
  mkdir -p "$root"/{include,lib,share/gradus,share/pkgconfig}
  GRADUS_C_OUT=$out cargo test --locked --quiet --features ffi --test suite abi:: >/dev/null # writes the lines to compare with
  while IFS='|' read -r folder target flags cflags; do
    [ $# = 0 ] || [[ $chosen = *" $folder "* ]] || continue
    for opt in s 3 small; do
      [ $opt != small ] || [[ $folder != *linux* && $folder != *helium ]] || continue
      library=$(release_library "$target" $opt "$flags" "$PWD" "$out/build-$opt") || { missing "no target $target"; continue; }
      mkdir -p "$root/lib/$folder/$opt"
      localise "$library" "$root/lib/$folder/$opt/libgradus.a"
      release_check "$folder" "$root/lib/$folder/$opt/libgradus.a" "$cflags" "$out"
      fill gradus.pc.in | sed "s/@TARGET@/$folder/; s/@OPT@/$opt/; s/@LIBS@/$([[ $folder = *linux* ]] && echo "-lm -lpthread -ldl" || echo "-Wl,--gc-sections")/" \
        >"$root/share/pkgconfig/gradus-$folder$(case $opt in 3) echo -fast ;; small) echo -small ;; esac).pc"
      tried+="- $folder/$opt: $(stat -c %s "$root/lib/$folder/$opt/libgradus.a") bytes, $(release_tried "$folder")"$'\n'
      echo "$folder $opt: $(stat -c %s "$root/lib/$folder/$opt/libgradus.a") bytes"
    done
  done < <(release_targets)
  reproducible "$out" $([[ $# = 0 || $chosen = *thumbv7em-hard* ]] && echo thumbv7em-none-eabihf) \
    $([[ $# = 0 || $chosen = *thumbv6m* ]] && echo thumbv6m-none-eabi)
  cp include/gradus.h include/gradus.hpp "$root/include/"
  cp cmake/gradus-config-version.cmake packaging/cmake/gradus-config.cmake "$root/share/gradus/"
  cp LICENSE-MIT LICENSE-APACHE CHANGELOG.md "$root/"
  licences >"$root/LICENSES-THIRD-PARTY.txt"
  sbom >"$root/gradus.cdx.json"
  sbom_valid "$root/gradus.cdx.json"
  release_tools "$root"
  fill README.md.in | awk -v tried="$tried" '/^@TRIED@$/ { printf "%s", tried; next } 1' >"$root/README.md"
  forms "$root"
  schemas "$root" "$out"
  (cd "$root" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)
  mkdir -p target/release-c
  tar -C "$out" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' -c "gradus-$version-c" |
    xz -9e -T1 >"target/release-c/gradus-$version-c.tar.xz"
  sha256sum "target/release-c/gradus-$version-c.tar.xz"
  try_cmake "$root" "$out"
  rm -r "$out"
}

# release_tried FOLDER: what release_check did.
release_tried() {
  case $1 in
    thumbv6m) echo "every function ran on an emulated Cortex-M3" ;;
    thumbv8m.base) echo "every function ran on an emulated Cortex-M33" ;;
    thumbv8m.main-helium) echo "every function ran on an emulated Cortex-M55" ;;
    thumb*) echo "every function ran on an emulated CPU of its kind" ;;
    x86_64-linux-gnu | riscv32ima*c) echo "every function ran" ;;
    *) echo "its names were checked" ;;
  esac
}

# reproducible OUT TARGET..: a library from another path is the same file.
reproducible() {
  local out=$1 target
  shift
  for target in "$@"; do
    rm -rf "$out/elsewhere"
    mkdir "$out/elsewhere"
    git ls-files -z | xargs -0 cp --parents -t "$out/elsewhere"
    localise "$(release_library "$target" s "" "$PWD" "$out/build-s")" "$out/here.a"
    localise "$(release_library "$target" s "" "$out/elsewhere" "$out/build-elsewhere")" "$out/there.a"
    cmp "$out/here.a" "$out/there.a"
    echo "$target: the same library from two paths"
  done
}

# licences: the texts of the crates whose code is in the libraries.
licences() {
  echo "The libraries have code of these crates, and of Rust's core library (MIT or Apache-2.0), under the licences named."
  cargo metadata --locked --format-version 1 |
    python3 -c '
import json, pathlib, sys
linked = set(sys.argv[1].split())
for package in sorted(json.load(sys.stdin)["packages"], key=lambda package: package["name"]):
    if package["name"] + "=" + package["version"] not in linked or not package["source"]:
        continue
    print("\n" + "=" * 100 + "\n%s %s: %s" % (package["name"], package["version"], package["license"]))
    folder = pathlib.Path(package["manifest_path"]).parent
    for file in sorted(folder.glob("LICEN[SC]E*")) + sorted(folder.glob("COPYING*")):
        if file.is_file():
            print("\n---- " + file.name + "\n\n" + file.read_text().strip())
' "$(linked)"
}

# linked: NAME=VERSION of every crate whose code is in the libraries.
linked() {
  cargo tree --locked -p gradus --no-default-features --features ffi --edges normal --target all --prefix none --format '{p}' |
    sed 's/ v/=/; s/ .*//' | sort -u | xargs
}

# sbom: what is in the libraries, as CycloneDX 1.6: the crates of `linked`, with the hashes of Cargo.lock, and Rust's own.
# It has neither a date nor a random number: the same sources give the same file.
sbom() {
  cargo metadata --locked --format-version 1 |
    python3 -c '
import json, sys, tomllib

linked, rust = set(sys.argv[1].split()), sys.argv[2]
metadata = json.load(sys.stdin)
sums = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.load(open("Cargo.lock", "rb"))["package"]}
packages = {p["id"]: p for p in metadata["packages"] if p["name"] + "=" + p["version"] in linked}
assert len(packages) == len(linked), "a crate is missing"

def reference(p):
    return "pkg:cargo/%s@%s" % (p["name"], p["version"])

def component(p):
    of = {"type": "library", "bom-ref": reference(p), "name": p["name"], "version": p["version"]}
    of["description"] = " ".join(p["description"].split())
    if sums[p["name"], p["version"]]:
        of["hashes"] = [{"alg": "SHA-256", "content": sums[p["name"], p["version"]]}]
    of["licenses"] = [{"expression": p["license"].replace("/", " OR ")}]
    of["purl"] = reference(p)
    return of

core = {
    "type": "library",
    "bom-ref": "rust",
    "name": "rust",
    "version": rust,
    "description": "core, alloc, std and compiler_builtins",
    "licenses": [{"expression": "MIT OR Apache-2.0"}],
}
parts = sorted(packages.values(), key=reference)
edges = {
    node["id"]: sorted({reference(packages[d]) for d in node["dependencies"] if d in packages})
    for node in metadata["resolve"]["nodes"]
}
bom = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "metadata": {"component": component(next(p for p in parts if p["name"] == "gradus"))},
    "components": [component(p) for p in parts if p["name"] != "gradus"] + [core],
    "dependencies": [{"ref": reference(p), "dependsOn": edges[p["id"]] + ["rust"]} for p in parts] + [{"ref": "rust"}],
}
print(json.dumps(bom, indent=2))
' "$(linked)" "$(rustc -V | cut -d ' ' -f 2)"
}

# sbom_valid FILE: it follows the schema of CycloneDX, and names the crates whose licences are in the archive.
sbom_valid() {
  local venv
  diff <(sed -n 's/^\([a-z0-9_-]*\) \([0-9][^ ]*\): .*/\1=\2/p' "${1%/*}/LICENSES-THIRD-PARTY.txt" | sort) \
    <(python3 -c 'import json, sys
for part in json.load(open(sys.argv[1]))["components"]: print(part["name"] + "=" + part["version"])' "$1" | grep -v '^rust=' | sort)
  venv=$(mktemp -d)
  if python3 -m venv "$venv" >/dev/null 2>&1 && "$venv/bin/pip" install --quiet 'cyclonedx-python-lib[json-validation]==11.12.0' 2>/dev/null; then
    "$venv/bin/python" - "$1" <<'END'
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(wrong and repr(wrong))
END
    echo "${1##*/}: as the schema of CycloneDX 1.6 asks"
  else
    missing "no cyclonedx-python-lib: the schema of the bill of materials is not checked"
  fi
  rm -r "$venv"
}

# release_tools ROOT: the files of Arduino, PlatformIO, Zephyr, ESP-IDF and CMSIS-Pack.
release_tools() {
  local root=$1 folder mcu file
  # Arduino: src/MCU/FPU-ABI/libgradus.a is where its builder looks; without an FPU src/MCU.
  mkdir -p "$root/arduino/gradus/src" "$root/arduino/gradus/examples"
  fill arduino/library.properties >"$root/arduino/gradus/library.properties"
  awk 'match($0, /gradus_[a-z0-9_]+\(/) && /^(gradus_|const|static)/ { print substr($0, RSTART, RLENGTH - 1) "\tKEYWORD2" }
    match($0, /^} gradus_[a-z0-9_]+;/) { print substr($0, 3, RLENGTH - 3) "\tKEYWORD1" }
    /^#define GRADUS_/ { sub(/\(.*/, "", $2); print $2 "\tLITERAL1" }' include/gradus.h | LC_ALL=C sort -u >"$root/arduino/gradus/keywords.txt"
  cp include/gradus.h include/gradus.hpp "$root/arduino/gradus/src/"
  while read -r folder mcu; do
    [ -e "$root/lib/$folder/s/libgradus.a" ] || continue
    mkdir -p "$root/arduino/gradus/src/$mcu"
    cp "$root/lib/$folder/s/libgradus.a" "$root/arduino/gradus/src/$mcu/"
  done <<END
thumbv6m cortex-m0plus
thumbv6m cortex-m0
thumbv7m cortex-m3
thumbv7em-soft cortex-m4
thumbv7em-softfp cortex-m4/fpv4-sp-d16-softfp
thumbv7em-hard cortex-m4/fpv4-sp-d16-hard
thumbv7em-softfp cortex-m7/fpv5-d16-softfp
thumbv7em-hard cortex-m7/fpv5-d16-hard
thumbv8m.main-soft cortex-m33
thumbv8m.main-softfp cortex-m33/fpv5-sp-d16-softfp
thumbv8m.main-hard cortex-m33/fpv5-sp-d16-hard
riscv32imc esp32c3
riscv32imac esp32c6
riscv32imac esp32h2
END
  cp -r examples/arduino/Vibration "$root/arduino/gradus/examples/"
  cp examples/classifier/classifier.? "$root/arduino/gradus/examples/Vibration/"
  # PlatformIO: the whole folder is the library.
  fill platformio/library.json >"$root/library.json"
  cp packaging/platformio/link.py "$root/"
  # Zephyr: the whole folder is the module.
  mkdir -p "$root/zephyr/samples"
  cp packaging/zephyr/* "$root/zephyr/"
  cp -r examples/zephyr "$root/zephyr/samples/vibration"
  cp examples/classifier/classifier.? "$root/zephyr/samples/vibration/src/"
  # ESP-IDF: a component.
  mkdir -p "$root/esp-idf/gradus/examples"
  cp packaging/esp-idf/CMakeLists.txt "$root/esp-idf/gradus/"
  fill esp-idf/idf_component.yml >"$root/esp-idf/gradus/idf_component.yml"
  cp -r examples/esp-idf "$root/esp-idf/gradus/examples/vibration"
  cp examples/classifier/classifier.? "$root/esp-idf/gradus/examples/vibration/main/"
  # CMSIS-Pack: a condition and a file for each library of an Arm core.
  local conditions="" files="" core fpu
  while read -r folder core fpu; do
    [ -e "$root/lib/$folder/s/libgradus.a" ] || continue
    conditions+="    <condition id=\"$folder\"><require condition=\"gcc\"/>"
    for mcu in ${core//,/ }; do conditions+="<accept Dcore=\"$mcu\"${fpu:+ Dfpu=\"$fpu\"}/>"; done
    conditions+="</condition>"$'\n'
    files+="        <file category=\"library\" name=\"lib/$folder/s/libgradus.a\" condition=\"$folder\"/>"$'\n'
  done <<END
thumbv6m Cortex-M0,Cortex-M0+
thumbv7m Cortex-M3
thumbv7em-soft Cortex-M4,Cortex-M7 NO_FPU
thumbv7em-hard Cortex-M4,Cortex-M7 FPU
thumbv8m.base Cortex-M23
thumbv8m.main-soft Cortex-M33,Cortex-M35P NO_FPU
thumbv8m.main-hard Cortex-M33,Cortex-M35P,Cortex-M55,Cortex-M85 FPU
END
  fill cmsis/gradus.pdsc.in | awk -v conditions="$conditions" -v files="$files" \
    '/^@CONDITIONS@$/ { printf "%s", conditions; next } /^@FILES@$/ { printf "%s", files; next } 1' >"$root/gradus.pdsc"
}

# forms ROOT: JSON, XML and YAML can be read, and every path that they name exists.
forms() {
  python3 - "$1" "$(release_targets)" <<'END'
import ast, json, pathlib, re, sys, xml.etree.ElementTree as xml

root = pathlib.Path(sys.argv[1])
library = json.loads((root / "library.json").read_text())
assert {"name", "version", "build"} <= library.keys() and re.fullmatch(r"\d+\.\d+\.\d+", library["version"])
assert (root / library["build"]["includeDir"] / "gradus.h").is_file() and (root / library["build"]["extraScript"]).is_file()
# What a board's flags choose.
script = ast.parse((root / "link.py").read_text(), "link.py")
names = {}
exec(compile(ast.Module([node for node in script.body if isinstance(node, ast.FunctionDef)], []), "link.py", "exec"), names)
def chosen(flags):
    try:
        return names["target"](flags.split())
    except SystemExit:
        return None
for line in sys.argv[2].splitlines():
    folder, _, _, flags = line.split("|")
    if flags and not folder.endswith("helium"):
        assert chosen(flags) == folder, (flags, chosen(flags))
for flags, folder in {
    "-march=rv32imc_zicsr_zifencei": "riscv32imc",
    "-march=rv32imafc_zicsr -mabi=ilp32": "riscv32imac",
    "-march=rv32imafc": "riscv32imafc",
    "-march=rv32gc -mabi=ilp32f": "riscv32imafc",
    "-march=rv32imfc -mabi=ilp32": "riscv32imc",
    "-march=rv32imfc -mabi=ilp32f": None,
    "-march=rv32gc": None,
    "-march=rv32gc -mabi=ilp32d": None,
    "-march=rv32emc -mabi=ilp32e": None,
    "-march=rv32ima -mabi=ilp32": None,
    "-march=rv32iac -mabi=ilp32": None,
    "-march=rv64imac -mabi=lp64": None,
    "-mcpu=cortex-a9": None,
}.items():
    assert chosen(flags) == folder, (flags, chosen(flags))
# The table of libraries has each of them; a row may name several as `thumbv8m.main-soft, -softfp, -hard`.
named = set()
for row in re.findall(r"^\| (\S+(?:, \S+)*) \|", (root / "README.md").read_text(), re.M):
    first, *others = row.split(", ")
    named |= {first} | {first.rsplit("-", 1)[0] + other if other[0] == "-" else other for other in others}
for folder in (root / "lib").iterdir():
    assert folder.name in named, "README.md does not name lib/" + folder.name
pack = xml.parse(root / "gradus.pdsc")
conditions = {condition.get("id") for condition in pack.iter("condition")}
for file in pack.iter("file"):
    assert (root / file.get("name")).is_file(), file.get("name")
    assert file.get("condition") in conditions | {None}
for require in pack.iter("require"):
    assert require.get("condition") in conditions
properties = dict(line.split("=", 1) for line in (root / "arduino/gradus/library.properties").read_text().splitlines())
assert properties["precompiled"] == "full" and (root / "arduino/gradus/src" / properties["includes"]).is_file()
for sketch in (root / "arduino/gradus/examples").iterdir():
    assert (sketch / (sketch.name + ".ino")).is_file(), "a sketch has the name of its folder"
for line in (root / "arduino/gradus/keywords.txt").read_text().splitlines():
    assert re.fullmatch(r"\w+\t(KEYWORD1|KEYWORD2|LITERAL1)", line), line
try:
    import yaml
    for file in ["zephyr/module.yml", "esp-idf/gradus/idf_component.yml", "zephyr/samples/vibration/sample.yaml"]:
        assert yaml.safe_load((root / file).read_text()), file
except ImportError:
    print("no yaml in Python: YAML was not read")
for file in root.rglob("*"):
    if file.is_file() and file.suffix not in {".a"}:
        assert not re.search(r"@[A-Z]+@", file.read_text()), file
END
}

# schemas ROOT OUT: PlatformIO's own reader takes library.json, and idf_component.yml has the schema of its tool.
schemas() {
  local root=$1 python=$2/python/bin/python
  { python3 -m venv "$2/python" && "$python" -m pip install --quiet idf-component-manager==3.1.2 platformio==6.2.0 pyyaml jsonschema; } \
    >/dev/null 2>&1 || { missing "no packages of PlatformIO and ESP-IDF from PyPI"; return 0; }
  "$2/python/bin/compote" manifest schema >"$2/idf.json" 2>/dev/null
  "$python" - "$root" "$2/idf.json" <<'END'
import json, jsonschema, pathlib, sys, yaml
from platformio.package.manifest.parser import ManifestParserFactory
from platformio.package.manifest.schema import ManifestSchema

root = pathlib.Path(sys.argv[1])
schema = json.loads(pathlib.Path(sys.argv[2]).read_text())
jsonschema.validate(yaml.safe_load((root / "esp-idf/gradus/idf_component.yml").read_text()), schema)
# It would ask the network for the list of licences.
known = {"licenses": [{"licenseId": "MIT"}, {"licenseId": "Apache-2.0"}]}
ManifestSchema.load_spdx_licenses = staticmethod(lambda *_, **__: known)
assert ManifestSchema().load_manifest(ManifestParserFactory.new_from_file(str(root / "library.json")).as_dict())
print("the manifests of PlatformIO and ESP-IDF: their tools' schemas")
END
}

# chosen_by_cmake: what gradus-config.cmake chooses by the macros of a compiler; where it lies there is no library.
chosen_by_cmake() {
  local work folder flags compiler found
  work=$(mktemp -d)
  mkdir -p "$work/share/gradus"
  cp packaging/cmake/gradus-config.cmake "$work/share/gradus/"
  # shellcheck disable=SC2016
  echo 'include(share/gradus/gradus-config.cmake)
message("chosen: ${GRADUS_TARGET}")' >"$work/choose.cmake"
  while IFS='|' read -r folder _ _ flags; do
    case $flags in
      -march=rv32*) compiler=riscv64-unknown-elf-gcc ;;
      -mcpu=*) compiler=arm-none-eabi-gcc flags+=" -mthumb" ;;
      *) continue ;;
    esac
    [[ $folder != *helium ]] || continue
    command -v $compiler >/dev/null || { missing "no $compiler"; continue; }
    found=$(cd "$work" && cmake -DCMAKE_C_COMPILER=$compiler -DCMAKE_C_FLAGS="$flags" -P choose.cmake 2>&1)
    [ "$found" = "chosen: ${folder/none/}" ] || { echo "$flags: CMake says $found, not $folder" >&2; return 1; }
  done < <(
    release_targets
    echo "riscv32imac|||-march=rv32imafc -mabi=ilp32"
    echo "riscv32imc|||-march=rv32imfc -mabi=ilp32"
    echo "none|||-march=rv32imfc -mabi=ilp32f"
    echo "none|||-march=rv32imafdc -mabi=ilp32d"
    echo "none|||-march=rv32emc -mabi=ilp32e"
    echo "none|||-march=rv32ima -mabi=ilp32"
    echo "none|||-march=rv32iac -mabi=ilp32"
  )
  rm -r "$work"
}

# try_cmake ROOT OUT: find_package with a version, by a toolchain file for bare metal, and pkg-config.
try_cmake() {
  local root=$1 out=$2
  apt cmake pkg-config || { missing "no cmake"; return 0; }
  chosen_by_cmake
  mkdir -p "$out/user"
  cat >"$out/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(gradus 0.1 REQUIRED)
add_executable(user adam.c)
target_link_libraries(user PRIVATE gradus::gradus)
END
  cp examples/adam/adam.c "$out/user/"
  if [ -e "$root/lib/x86_64-linux-gnu" ]; then
    cmake -S "$out/user" -B "$out/user/host" -DCMAKE_PREFIX_PATH="$root" >/dev/null
    cmake --build "$out/user/host" >/dev/null
    [ "$("$out/user/host/user")" = "1.000 -2.000" ]
    # shellcheck disable=SC2046
    gcc "$out/user/adam.c" $(PKG_CONFIG_PATH=$root/share/pkgconfig pkg-config --cflags --libs gradus-x86_64-linux-gnu) -o "$out/user/adam"
    [ "$("$out/user/adam")" = "1.000 -2.000" ]
    sed -i 's/find_package(gradus 0.1/find_package(gradus 0.2/' "$out/user/CMakeLists.txt"
    if cmake -S "$out/user" -B "$out/user/other" -DCMAKE_PREFIX_PATH="$root" >/dev/null 2>&1; then
      echo "find_package(gradus 0.2) accepts $version" >&2
      return 1
    fi
    sed -i 's/find_package(gradus 0.2/find_package(gradus 0.1/' "$out/user/CMakeLists.txt"
  fi
  if [ -e "$root/lib/thumbv7em-softfp" ]; then
    cat >"$out/user/m4.cmake" <<'END'
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -mfloat-abi=softfp -mfpu=fpv4-sp-d16 --specs=nosys.specs")
END
    cmake -S "$out/user" -B "$out/user/m4" -DCMAKE_TOOLCHAIN_FILE="$out/user/m4.cmake" -DCMAKE_PREFIX_PATH="$root" >/dev/null
    cmake --build "$out/user/m4" >/dev/null 2>&1
    grep -q thumbv7em-softfp/s "$out/user/m4/CMakeFiles/user.dir/link.txt"
  fi
  echo "CMake and pkg-config: found, and the version is checked"
}
