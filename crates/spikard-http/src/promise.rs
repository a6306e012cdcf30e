//! What a route promises of its responses: the `response_schema`, judged where the app asks for it.

use http::header;
use spikard_core::{
    Body, Error, Loc, Response, SpecError,
    config::Config,
    schema::Schema,
    spec::{AppSpec, Reading, RouteSpec},
};

/// A compiled `response_schema`.
pub(crate) struct Promise(Schema);

impl Promise {
    /// None: nothing is promised, or nobody wants it judged.
    pub(crate) fn of(app: &AppSpec, route: &RouteSpec, config: &Config) -> Result<Option<Box<Self>>, SpecError> {
        let Some(schema) = &route.response_schema else { return Ok(None) };
        let assert_formats = route.options.assert_formats.unwrap_or(config.assert_formats);
        let schema = Schema::compile(schema, &app.schemas, Reading::JsonSchema, assert_formats)
            .map_err(|error| SpecError::new(format!("response_schema: {}", error.message)))?;
        Ok(config.validate_responses.then(|| Box::new(Self(schema))))
    }

    /// The response, if it is as promised. Only whole JSON of a success is judged. The error says what is wrong to the
    /// log alone.
    pub(crate) fn kept(&self, response: Response) -> Result<Response, Error> {
        let Body::Whole(text) = &response.body else { return Ok(response) };
        if !response.status.is_success() || !is_json(&response) {
            return Ok(response);
        }
        let value = serde_json::from_slice(text)
            .map_err(|error| Error::internal(format!("the response is no JSON, as its type says: {error}")))?;
        match self.0.errors(&value).first() {
            None => Ok(response),
            Some(first) => {
                let place: Vec<String> = first.loc.iter().map(step).collect();
                let place = if place.is_empty() { "the response".to_owned() } else { place.join(".") };
                Err(Error::internal(format!("response_schema refuses {place}: {}", first.msg)))
            }
        }
    }
}

fn is_json(response: &Response) -> bool {
    let said = response.headers.iter().find(|(name, _)| *name == header::CONTENT_TYPE);
    let media = said.and_then(|(_, value)| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || media.ends_with("+json")
}

fn step(step: &Loc) -> String {
    match step {
        Loc::Key(key) => key.to_string(),
        Loc::Index(index) => index.to_string(),
    }
}
