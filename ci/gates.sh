# What must hold of sources and tables as text. Read by ci.sh.

## rooms: every folder of src/ imports downwards only, in the order that DESIGN.md draws, and has its own mathematics; files are short (1 s)
rooms() {
  # shellcheck disable=SC2046
  awk '
    FNR == NR { # DESIGN.md: the lines of the drawing, the highest first
      if (/^#/) drawing = /^### Rooms/
      else if (drawing && /^```/) inside = !inside
      else if (inside) { ++line; for (i = 1; i <= NF; i++) place[$i] = line }
      next
    }
    FNR == 1 {
      room = FILENAME
      sub(/^src\//, "", room)
      sub(/[.\/].*/, "", room)
      tests = FILENAME ~ /_tests[.]rs$/
      if (!(room in place) && !(room in strange)) print "src/" room " is not in the drawing of DESIGN.md"
      if (!(room in place)) strange[room] = bad = 1
    }
    /^#\[cfg\((doc)?test\)\]/ { tests = 1 } # the rest of the file: tests may look anywhere
    tests || /^ *\/\// { next }
    /libm::/ && !/libm::sqrtf?\(/ || /\.(mul_add|pow[fi]|exp(2|_m1)?|ln(_1p)?|log(2|10)?|a?(sin|cos|tan)h?|sin_cos|atan2|cbrt|hypot)\(/ {
      print FILENAME ":" FNR ": mathematics that is not the crate\047s own: its bits are those of a library"
      bad = 1
    }
    !/crate::/ { next }
    {
      rest = $0
      while (match(rest, /(^|[^$A-Za-z_])crate::\{?[A-Za-z_]+/)) {
        name = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/.*crate::\{?/, "", name)
        if (name ~ /^__/ || name == room || name in place && place[name] > place[room] || place[room] == 1) continue
        print FILENAME ":" FNR ": " room " imports " name (name in place ? ", which does not stand below it" : " of the root")
        bad = 1
      }
    }
    END { if (!line) { print "DESIGN.md draws no rooms"; bad = 1 }; exit bad }
  ' DESIGN.md $(git ls-files 'src/*.rs' ':!src/lib.rs')
  short
}

# short: files that people write have fewer than 600 lines.
short() {
  git ls-files -z '*.rs' '*.sh' '*.py' ':!src/ffi/rules.rs' | xargs -0 wc -l |
    awk '$2 != "total" && $1 >= 600 { print $2 ": " $1 " lines, 600 or more"; bad = 1 } END { exit bad }'
}

# optimizers: the names of all, from their list.
optimizers() {
  sed -n 's/^ *\([A-Z][A-Za-z]*\) "[a-z-]*" [0-9].*/\1/p' src/optim/list.rs
}

## readme: the numbers in the README are those of the tables (1 s)
readme() {
  local program
  program=$(mktemp)
  rustc --edition 2024 --test ci/readme.rs -o "$program"
  "$program" --quiet
  rm "$program"
}

## audited: SECURITY.md lists every crate that a user of the library builds, with its version (1 s)
audited() {
  diff <(awk -F ' *[|] *' '/^\| crate /{ list = 1 } list && $3 ~ /^[0-9]/ { print $2, $3 }' SECURITY.md | sort) \
    <(cargo tree --locked -p gradus --all-features --target all --edges normal,build --prefix none --format '{p}' |
      awk '$1 != "gradus" { print $1, substr($2, 2) }' | sort -u) ||
    { echo "the list of dependencies in SECURITY.md is not that of Cargo.lock" >&2; return 1; }
}

# budget FILE NEW [write]: no number of a table in NEW is more than 3 % above the one in FILE, and a little; with `write`
# NEW becomes FILE. Another compiler moves a number either way: only growth is an error.
budget() {
  if [ "${3:-}" = write ]; then
    cat "$2" >"$1"
    return
  fi
  awk -F ' *[|] *' -v file="$1" '
    /^#/ { section = $0 }
    !/^\|/ || /^\|[-:|]*$/ { next }
    {
      row = section " | " $2
      turn = ++turns[FILENAME, row] # a name may stand in more than one table of a section
      for (i = 3; i < NF; i++) {
        if ($i !~ /^[0-9]+([.][0-9]+)?$/) continue
        cell = row SUBSEP turn SUBSEP i
        slack = $i ~ /[.]/ ? 0.05 : 8 # instructions, bytes
        if (FILENAME == file) was[cell] = $i
        else if (!(cell in was)) fresh++
        else if ($i > 1.03 * was[cell] + slack) { print row ": " $i ", was " was[cell]; bad = 1 }
        else if ($i < 0.97 * was[cell] - slack) smaller++
      }
    }
    END {
      if (smaller || fresh) print file ": " smaller + 0 " numbers are smaller, " fresh + 0 " are new: write it anew"
      exit bad
    }
  ' "$1" "$2"
}
