//! What user code threw becomes an error of the request here: what it meant as an answer, and everything else.

use spikard_core::{Error, FieldError, HostArg, HostId};

use crate::js::{Fault, Js, Kind, Val};

/// `[false, id, name, answer]`: what was thrown, its class, and the JSON of what is to be answered, or null.
pub(crate) fn thrown(js: Js<'_>, failure: Val<'_>) -> Result<Error, Fault> {
    let (id, name, answer) = (js.item(failure, 1)?, js.item(failure, 2)?, js.item(failure, 3)?);
    let mut error = match js.kind(answer) {
        Kind::napi_string => Error::raised(js.read_text(answer)?.as_bytes())?,
        _ => Error::internal(js.read_text(name)?),
    };
    error.exception = Some(HostId(js.read_id(id)?));
    Ok(error)
}

/// Whether an answer of the package is a failure.
pub(crate) fn is_failure(js: Js<'_>, answer: Val<'_>) -> bool {
    let first = if js.is_array(answer) { js.item(answer, 0) } else { return false };
    first.and_then(|first| js.read_bool(first)).is_ok_and(|succeeded| !succeeded)
}

/// What a decoder refused, in its own words; the core asks the schema for better ones.
pub(crate) fn refused(input: HostArg, words: &str) -> Result<Error, Fault> {
    let fields: Vec<FieldError> = serde_json::from_str(words).map_err(Fault::new)?;
    Ok(Error::refused_in_words(input, fields, false))
}
