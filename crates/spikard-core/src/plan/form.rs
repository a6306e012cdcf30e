//! Forms: fields by name, read by the schema and handed on as JSON where no file is among them.

use http::{header, request::Parts};

use super::body::{BodyPlan, Media, classify, input, refuse_coding, unsupported};
use crate::{
    Arg, Entries, Entry, Error, ErrorCode, FieldError, FormValue, Input, Loc, Received,
    pairs::{self, Pair, PairsFault},
};

impl BodyPlan {
    /// The members of an accepted form.
    pub(super) fn form_value(&self, form: Received) -> Result<FormValue, Error> {
        let entries = match self.at_once(form, |pairs| self.schema.form_members(pairs))? {
            Ok(form) => return Ok(form),
            Err(entries) => entries,
        };
        let (form, errors) = self.read_or_refuse(entries);
        if errors.is_empty() { Ok(form) } else { Err(Error::invalid(errors)) }
    }

    /// What is refused goes to a lax decoder all the same, unless something else was refused already: it may accept it, and
    /// knows more that is wrong.
    pub(super) fn read_form(&self, form: Received, strict: bool) -> Result<Arg, Error> {
        let text = |pairs: &[Pair<'_>]| self.decoder.and_then(|_| self.schema.form_text(pairs));
        let entries = match self.at_once(form, text)? {
            Ok(text) => return Ok(self.input(text.into())),
            Err(entries) => entries,
        };
        let (form, errors) = self.read_or_refuse(entries);
        match self.value_decoder.filter(|_| self.schema.is_read_laxly() && form.is_plain() && !strict) {
            _ if errors.is_empty() => {}
            Some(decoder) => return Ok(input(decoder, Input::Value(form.into_arg()))),
            None => return Err(Error::invalid(errors)),
        }
        Ok(match (self.decoder, self.value_decoder) {
            (Some(_), _) if form.is_plain() => {
                self.input(serde_json::to_vec(&form.value).expect("a JSON value").into())
            }
            (_, Some(decoder)) => input(decoder, Input::Value(form.into_arg())),
            _ => form.into_arg(),
        })
    }

    /// What `read` makes of pairs, where names are only the members' own; else the fields, to be read in full.
    fn at_once<T>(
        &self,
        form: Received,
        read: impl FnOnce(&[Pair<'_>]) -> Option<T>,
    ) -> Result<Result<T, Entries>, Error> {
        let text = match form {
            Received::Form(entries) => return Ok(Err(entries)),
            Received::Whole(text) => text,
        };
        let pairs = parse(&text)?;
        let found = if self.also.is_empty() { read(&pairs) } else { None };
        Ok(found.ok_or_else(|| owned(pairs)))
    }

    /// Beside refusals the form stands as it was sent.
    fn read_or_refuse(&self, mut entries: Entries) -> (FormValue, Vec<FieldError>) {
        let renamed = self.rename(&mut entries);
        let (mut form, mut errors) = self.schema.read_or_refuse(entries);
        if !(errors.is_empty() || renamed.is_empty()) {
            form.rename(&renamed);
        }
        for error in &mut errors {
            if let Some(Loc::Key(name)) = error.loc.first_mut()
                && let Some((_, sent)) = renamed.iter().find(|(own, _)| **own == **name)
            {
                *name = (*sent).clone().into();
            }
        }
        (form, errors)
    }

    /// Gives what was sent under a further name of a member its own name. What was renamed, by its own name.
    fn rename(&self, entries: &mut Entries) -> Vec<(&String, &String)> {
        let mut renamed = Vec::new();
        for (own, others) in &self.also {
            let is_sent = |wanted: &&String| entries.iter().any(|(name, _)| name == *wanted);
            let Some(found) = std::iter::once(own).chain(others).find(is_sent).filter(|found| *found != own) else {
                continue;
            };
            entries.iter_mut().filter(|(name, _)| name == found).for_each(|(name, _)| name.clone_from(own));
            renamed.push((own, found));
        }
        renamed
    }
}

/// The fields of an urlencoded form.
pub fn read_pairs(body: &[u8]) -> Result<Entries, Error> {
    parse(body).map(owned)
}

fn parse(body: &[u8]) -> Result<Vec<Pair<'_>>, Error> {
    pairs::parse(body).map_err(|fault| {
        let code = match fault {
            PairsFault::NotUtf8 => ErrorCode::BadRequest,
            PairsFault::TooMany => ErrorCode::ContentTooLarge,
        };
        Error::new(code).with_detail(fault.message("form"))
    })
}

fn owned(pairs: Vec<Pair<'_>>) -> Entries {
    pairs.into_iter().map(|(name, text)| (name.into_owned(), Entry::Text(text.into_owned()))).collect()
}

/// Of a form that user code wants; without a content type it is one of pairs.
pub(super) fn form_media(parts: &Parts) -> Result<Media, Error> {
    refuse_coding(parts)?;
    let Some(sent) = parts.headers.get(header::CONTENT_TYPE) else { return Ok(Media::Form) };
    let text = String::from_utf8_lossy(sent.as_bytes());
    let found = classify(&text).filter(|media| matches!(media, Media::Form | Media::Multipart));
    found.ok_or_else(|| unsupported(&text))
}
