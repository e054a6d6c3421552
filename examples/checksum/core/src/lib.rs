//! The sum itself, which programs without Python share.

/// Add up bytes, beginning with a seed.
pub fn of(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |sum, byte| sum.wrapping_add(u32::from(*byte)))
}
