fn main() {
    println!("cargo:rustc-env=OPT_LEVEL={}", std::env::var("OPT_LEVEL").expect("cargo sets it"));
}
