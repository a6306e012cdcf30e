//! Dates, times and durations, as pydantic reads them. A date may come as midnight of it and a date and time as a
//! date where text is read leniently, both as a Unix time; they cross in their canonical form.

use std::cmp::Ordering;

use serde_json::{Map, Value};
use speedate::{
    Date, DateConfig, DateTime, DateTimeConfig, Duration, MicrosecondsPrecisionOverflowBehavior, ParseError, Time,
    TimeConfig,
};
use strum::EnumMessage;

use super::{limits::Limits, scalar::Refusal, text::Matcher};
use crate::{Arg, SpecError, Word};

/// The four kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temporal {
    Date,
    DateTime,
    Time,
    Duration,
}

/// A value of one of them.
#[derive(Clone, Debug)]
pub(crate) enum Moment {
    Date(Date),
    DateTime(DateTime),
    Time(Time),
    Duration(i64),
}

impl Temporal {
    /// The kind that a `format` names.
    pub(crate) fn of_format(format: &str) -> Option<Self> {
        Some(match format {
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            "time" => Self::Time,
            "duration" => Self::Duration,
            _ => return None,
        })
    }

    fn format(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Time => "time",
            Self::Duration => "duration",
        }
    }

    /// What pydantic calls it in a union's `loc`.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Time => "time",
            Self::Duration => "timedelta",
        }
    }

    /// The word for a value that is no text.
    pub(crate) fn type_word(self) -> Word {
        match self {
            Self::Date => Word::DateType,
            Self::DateTime => Word::DatetimeType,
            Self::Time => Word::TimeType,
            Self::Duration => Word::TimeDeltaType,
        }
    }

    fn parsing_word(self) -> Word {
        match self {
            Self::Date => Word::DateParsing,
            Self::DateTime => Word::DatetimeParsing,
            Self::Time => Word::TimeParsing,
            Self::Duration => Word::TimeDeltaParsing,
        }
    }

    /// Reads text that stands in JSON.
    pub(crate) fn read_json(self, text: &str) -> Result<Moment, Refusal> {
        self.parse(text).map_err(|error| refuse(self.parsing_word(), &error))
    }

    /// Reads a parameter's text.
    pub(crate) fn read_text(self, text: &str) -> Result<Moment, Refusal> {
        match (self, self.parse(text)) {
            (_, Ok(moment)) => Ok(moment),
            // Any reading as another kind meets the same year.
            (_, Err(Fault::YearZero)) => Err(refuse(self.parsing_word(), &Fault::YearZero)),
            (Self::Date, Err(error)) => midnight(text, &error),
            (Self::DateTime, Err(_)) => match Self::Date.parse(text) {
                Ok(Moment::Date(date)) => Ok(Moment::DateTime(DateTime { date, time: MIDNIGHT })),
                Ok(_) => unreachable!("a date is read as a date"),
                Err(error) => Err(refuse(Word::DatetimeFromDateParsing, &error)),
            },
            (Self::Time | Self::Duration, Err(error)) => Err(refuse(self.parsing_word(), &error)),
        }
    }

    fn parse(self, text: &str) -> Result<Moment, Fault> {
        let bytes = text.as_bytes();
        let time = TimeConfig {
            microseconds_precision_overflow_behavior: MicrosecondsPrecisionOverflowBehavior::Truncate,
            unix_timestamp_offset: Some(0),
        };
        let moment = match self {
            Self::Date => Moment::Date(Date::parse_bytes_with_config(bytes, &DateConfig::default())?),
            Self::DateTime => {
                let config = DateTimeConfig { time_config: time, ..DateTimeConfig::default() };
                Moment::DateTime(DateTime::parse_bytes_with_config(bytes, &config)?)
            }
            Self::Time => Moment::Time(Time::parse_bytes_with_config(bytes, &time)?),
            Self::Duration => {
                let duration = Duration::parse_bytes_with_config(bytes, &time)?;
                Moment::Duration(microseconds(&duration).ok_or(Fault::TooLong)?)
            }
        };
        match &moment {
            Moment::Date(date) | Moment::DateTime(DateTime { date, .. }) if date.year == 0 => Err(Fault::YearZero),
            _ => Ok(moment),
        }
    }
}

const MIDNIGHT: Time = Time { hour: 0, minute: 0, second: 0, microsecond: 0, tz_offset: None };

fn midnight(text: &str, error: &Fault) -> Result<Moment, Refusal> {
    match Temporal::DateTime.parse(text) {
        Ok(Moment::DateTime(DateTime { date, time })) if Time { tz_offset: None, ..time } == MIDNIGHT => {
            Ok(Moment::Date(date))
        }
        Ok(_) => Err(Refusal::new(Word::DateFromDatetimeInexact)),
        Err(Fault::YearZero) => Err(refuse(Word::DateParsing, &Fault::YearZero)),
        Err(Fault::Text(error)) => Err(refuse(Word::DateFromDatetimeParsing, &Fault::Text(error))),
        Err(Fault::TooLong) => Err(refuse(Word::DateParsing, error)),
    }
}

fn microseconds(duration: &Duration) -> Option<i64> {
    let seconds = i64::from(duration.day) * 86_400 + i64::from(duration.second);
    let size = seconds.checked_mul(1_000_000)?.checked_add(i64::from(duration.microsecond))?;
    Some(if duration.positive { size } else { -size })
}

/// Why a text is none of the kind.
#[derive(Debug)]
enum Fault {
    Text(ParseError),
    YearZero,
    TooLong,
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Self {
        Self::Text(error)
    }
}

fn refuse(word: Word, fault: &Fault) -> Refusal {
    let error = match fault {
        Fault::Text(error) => error.get_documentation().unwrap_or_default(),
        Fault::YearZero => "year 0 is out of range",
        Fault::TooLong => "durations may not exceed 106,751,991 days",
    };
    Refusal::about(word, "error", error)
}

impl Moment {
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Date(a), Self::Date(b)) => a.partial_cmp(b),
            (Self::DateTime(a), Self::DateTime(b)) => a.partial_cmp(b),
            (Self::Time(a), Self::Time(b)) => a.partial_cmp(b),
            (Self::Duration(a), Self::Duration(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

impl From<Moment> for Arg {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Date(date) => Self::Date(date.to_string()),
            Moment::DateTime(moment) => Self::DateTime(moment.to_string()),
            Moment::Time(time) => Self::Time(time.to_string()),
            Moment::Duration(microseconds) => Self::Duration(microseconds),
        }
    }
}

/// The constraints of a date, time or duration.
#[derive(Debug, Default)]
pub(crate) struct TemporalRules {
    limits: Limits<Moment>,
    /// JSON Schema's own rule for the format, where the schema is read as written.
    format: Option<Matcher>,
}

impl TemporalRules {
    /// Reads `formatMinimum` and its like.
    pub(crate) fn compile(
        kind: Temporal,
        schema: &Map<String, Value>,
        format: Option<Matcher>,
    ) -> Result<Self, SpecError> {
        let limits = Limits::collect(|keyword| {
            let keyword = match keyword {
                "maximum" => "formatMaximum",
                "exclusiveMaximum" => "formatExclusiveMaximum",
                "minimum" => "formatMinimum",
                _ => "formatExclusiveMinimum",
            };
            let Some(shown) = schema.get(keyword) else { return Ok(None) };
            let moment = shown.as_str().and_then(|text| kind.parse(text).ok());
            let moment = moment.ok_or_else(|| SpecError::new(format!("`{keyword}` cannot be read: {shown}")))?;
            Ok(Some((shown.clone(), moment)))
        })?;
        Ok(Self { limits, format })
    }

    pub(crate) fn check(&self, moment: Moment) -> Result<Arg, Refusal> {
        self.limits.check(|limit| moment.compare(limit))?;
        Ok(moment.into())
    }

    /// Reads text that stands in JSON; where the schema is read as written, its own rule for the format decides.
    pub(crate) fn read_json(&self, kind: Temporal, text: &str) -> Result<Arg, Refusal> {
        match &self.format {
            None => self.check(kind.read_json(text)?),
            Some(matcher) if matcher.accepts(text) => Ok(Arg::Str(text.to_owned())),
            Some(_) => {
                kind.read_json(text)?;
                Err(Refusal::about(Word::Format, "format", kind.format()))
            }
        }
    }
}
