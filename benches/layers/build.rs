//! The plain C loops, three times: as gcc compiles them by default, for this CPU, and without regard to rounding.

fn main() {
    println!("cargo:rerun-if-changed=src/step.c");
    for (name, flags) in [
        ("o3", &["-ffp-contract=off"][..]),
        ("native", &["-march=native", "-ffp-contract=off"]),
        ("fast", &["-march=native", "-ffast-math"]),
    ] {
        let mut build = cc::Build::new();
        build.file("src/step.c").opt_level(3).define("NAME(x)", format!("x##_{name}").as_str());
        for flag in flags {
            build.flag(flag);
        }
        build.compile(&format!("step_{name}"));
    }
}
