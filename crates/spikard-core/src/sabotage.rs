//! One part of the server taken out, so that the conformance suite can be seen to notice. Compiled in by the cargo
//! feature `sabotage` alone, and chosen by `SPIKARD_SABOTAGE`; `testing_data/README.md` says what each word does.

/// Whether this part is taken out.
#[cfg(feature = "sabotage")]
pub fn takes_out(part: &str) -> bool {
    static PART: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PART.get_or_init(|| std::env::var("SPIKARD_SABOTAGE").unwrap_or_default()) == part
}

/// Whether this part is taken out: never, in a build for users.
#[cfg(not(feature = "sabotage"))]
#[inline]
pub const fn takes_out(_: &str) -> bool {
    false
}
