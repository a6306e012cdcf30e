//! Bound arguments as serde reads them: the values that the core has coerced become any type that implements
//! `Deserialize`.

use serde::{
    Deserializer, de,
    de::{
        IntoDeserializer,
        value::{Error, MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use spikard_core::Arg;

/// A value that crosses, about to become the handler's own.
pub(crate) struct Value(pub(crate) Arg);

impl IntoDeserializer<'_, Error> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Arg::Null | Arg::Absent => visitor.visit_unit(),
            Arg::Bool(value) => visitor.visit_bool(value),
            Arg::Int(value) | Arg::Duration(value) => visitor.visit_i64(value),
            Arg::Float(value) => visitor.visit_f64(value),
            Arg::BigInt(text)
            | Arg::Str(text)
            | Arg::Decimal(text)
            | Arg::Uuid(text)
            | Arg::Date(text)
            | Arg::Time(text)
            | Arg::DateTime(text) => visitor.visit_string(text),
            Arg::Bytes(bytes) => visitor.visit_byte_buf(bytes.to_vec()),
            Arg::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Value))),
            Arg::Map(members) => {
                let sent = members.into_iter().filter(|(_, value)| *value != Arg::Absent);
                visitor.visit_map(MapDeserializer::new(sent.map(|(name, value)| (name, Value(value)))))
            }
            other => Err(de::Error::custom(format_args!("{other:?} is no plain value"))),
        }
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Arg::Null | Arg::Absent => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Arg::Str(text) => text.into_deserializer().deserialize_enum(name, variants, visitor),
            // The one member names the variant.
            Arg::Map(members) => {
                let members = members.into_iter().map(|(name, value)| (name, Value(value)));
                MapAccessDeserializer::new(MapDeserializer::new(members)).deserialize_enum(name, variants, visitor)
            }
            other => Self(other).deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Grey(u8),
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Asked {
        page: u8,
        ratio: f64,
        colour: Colour,
        tags: Vec<String>,
        limit: Option<i64>,
    }

    #[test]
    fn members_that_were_not_sent_are_empty_options() {
        let text = |text: &str| Arg::Str(text.to_owned());
        let members = [
            ("page", Arg::Int(7)),
            ("ratio", Arg::Float(0.5)),
            ("colour", text("red")),
            ("tags", Arg::List(vec![text("a")])),
            ("limit", Arg::Absent),
        ];
        let map = Arg::Map(members.map(|(name, value)| (name.to_owned(), value)).into());
        let asked = Asked { page: 7, ratio: 0.5, colour: Colour::Red, tags: vec!["a".to_owned()], limit: None };
        assert_eq!(Asked::deserialize(Value(map)).unwrap(), asked);
    }

    #[test]
    fn a_variant_with_content_is_a_map_of_one_member() {
        let grey = Arg::Map(vec![("grey".to_owned(), Arg::Int(3))]);
        assert_eq!(Colour::deserialize(Value(grey)).unwrap(), Colour::Grey(3));
    }

    #[test]
    fn a_number_beyond_the_type_is_refused() {
        assert!(u8::deserialize(Value(Arg::Int(256))).is_err());
    }
}
