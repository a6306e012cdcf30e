//! One linear pass over JSON text, before any decoder sees it.

/// Why a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// Byte offset.
    pub at: usize,
    /// Lower case, no full stop.
    pub reason: &'static str,
}

/// Checks the whole grammar of RFC 8259: UTF-8, depth, no NaN or Infinity, no number beyond f64.
pub fn check(_text: &[u8], _max_depth: usize) -> Result<(), JsonFault> {
    todo!()
}
