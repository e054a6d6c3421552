//! The sum for Python, which says how it was built.

use pyo3::prelude::*;

const SPEED: &str = match (cfg!(feature = "fast"), cfg!(feature = "small")) {
    (true, _) => "fast",
    (_, true) => "small",
    _ => "neither",
};
const PANIC: &str = if cfg!(panic = "abort") { "abort" } else { "unwind" };

/// Sums of bytes.
#[pymodule]
mod checksum {
    use super::*;

    #[pymodule_export]
    const SETTINGS: (&str, &str, &str) = (SPEED, env!("OPT_LEVEL"), PANIC);

    /// Add up bytes, beginning with the seed that the build was given.
    #[pyfunction]
    fn of(bytes: &[u8]) -> u32 {
        checksum_core::of(env!("CHECKSUM_SEED").parse().expect("a number"), bytes)
    }
}
