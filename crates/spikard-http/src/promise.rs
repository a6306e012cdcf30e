//! What a route promises of its responses: the `response_schema` of a success, and the schemas of other answers by their
//! status, judged where the app asks for it, or the route has what they do not name taken out.

use http::header;
use serde_json::Value;
use spikard_core::{
    Body, Error, Loc, Response, SpecError,
    config::Config,
    schema::{Filter, Schema},
    spec::{AppSpec, Reading, RouteSpec},
};

/// Compiled schemas.
pub(crate) struct Promise {
    success: Option<Schema>,
    filter: Option<Filter>,
    by_status: Vec<(u16, Schema)>,
}

impl Promise {
    /// None: nothing is promised, or nobody wants it judged.
    pub(crate) fn of(app: &AppSpec, route: &RouteSpec, config: &Config) -> Result<Option<Box<Self>>, SpecError> {
        let assert_formats = route.options.assert_formats.unwrap_or(config.assert_formats);
        let compile = |name: &str, schema: &Value| {
            Schema::compile(schema, &app.schemas, Reading::JsonSchema, assert_formats)
                .map_err(|error| SpecError::new(format!("{name}: {}", error.message)))
        };
        let success = route.response_schema.as_ref().map(|schema| compile("response_schema", schema)).transpose()?;
        let filtered = route.response_schema.as_ref().filter(|_| route.filters_response);
        let filter = filtered.map(|schema| Filter::compile(schema, &app.schemas, assert_formats)).transpose()?;
        let mut by_status = Vec::new();
        for (status, spec) in &route.responses {
            if !(200..=599).contains(status) {
                return Err(SpecError::new(format!("responses: {status} is no status of an answer")));
            }
            if let Some(schema) = &spec.schema {
                by_status.push((*status, compile(&format!("responses[{status}]"), schema)?));
            }
        }
        if !config.validate_responses {
            by_status.clear();
        }
        let promises = filter.is_some() || config.validate_responses && (success.is_some() || !by_status.is_empty());
        Ok(promises.then(|| Box::new(Self { success, filter, by_status })))
    }

    /// The response, if it is as promised. Only whole JSON is judged, by its status before the schema of successes. The
    /// error says what is wrong to the log alone.
    pub(crate) fn kept(&self, mut response: Response) -> Result<Response, Error> {
        let status = response.status.as_u16();
        let own = self.by_status.iter().find(|(known, _)| *known == status);
        let (name, schema) = match (own, &self.success) {
            (Some((_, schema)), _) => (format!("responses[{status}]"), schema),
            (None, Some(schema)) if response.status.is_success() => ("response_schema".to_owned(), schema),
            _ => return Ok(response),
        };
        let Body::Whole(text) = &response.body else { return Ok(response) };
        if !is_json(&response) {
            return Ok(response);
        }
        let mut value = serde_json::from_slice(text)
            .map_err(|error| Error::internal(format!("the response is no JSON, as its type says: {error}")))?;
        let filter = self.filter.as_ref().filter(|_| own.is_none());
        if filter.is_some_and(|filter| filter.apply(&mut value)) {
            response.body = Body::Whole(value.to_string().into());
        }
        match schema.errors(&value).first() {
            None => Ok(response),
            Some(first) => {
                let place: Vec<String> = first.loc.iter().map(step).collect();
                let place = if place.is_empty() { "the response".to_owned() } else { place.join(".") };
                Err(Error::internal(format!("{name} refuses {place}: {}", first.msg)))
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
