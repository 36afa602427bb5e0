//! One entry of a JSON trace: a definition or an event, told apart by their keys.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::event::{Event, ObjectKind, Record, SiteDef};
use crate::ids::{FrameId, ObjectId, SiteId, StringId, Ticks};
use crate::read::{FrameDef, ObjectDef, Packer, Tables};

/// Reads one entry into the trace.
pub(super) struct Seed<'a> {
    pub(super) tables: &'a mut Tables,
    pub(super) events: &'a mut Packer,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut thread, mut time, mut is_event) = (None, None, false);
        let mut fields: Vec<(Cow<'de, str>, Scalar<'de>)> = Vec::with_capacity(8);
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "thread" => thread = Some(map.next_value()?),
                "time" => time = Some(map.next_value()?),
                _ => {
                    is_event |= key == "event";
                    fields.push((key, map.next_value()?));
                }
            }
        }
        if is_event {
            let thread = thread.ok_or_else(|| A::Error::missing_field("thread"))?;
            let time: u64 = time.ok_or_else(|| A::Error::missing_field("time"))?;
            let event = Event::deserialize(MapDeserializer::new(fields.into_iter()))?;
            self.events.push(thread, Record { time: Ticks(time), event });
            return Ok(());
        }
        let has = |name: &str| fields.iter().any(|(key, _)| key == name);
        let kind = ["site", "string", "object", "frame"].into_iter().find(|name| has(name));
        let fields = MapDeserializer::new(fields.into_iter());
        match kind {
            Some("site") => {
                let Site { site, file, line, column } = Site::deserialize(fields)?;
                self.tables.define_site(site, SiteDef { file, line, column });
            }
            Some("string") => {
                let Text { string, text } = Text::deserialize(fields)?;
                self.tables.define_string(string, text);
            }
            Some("frame") => {
                let Frame { frame, caller, module, address } = Frame::deserialize(fields)?;
                self.tables.define_frame(frame, FrameDef { caller, module, address });
            }
            Some(_) => {
                let Object { object, kind, created, type_name } = Object::deserialize(fields)?;
                self.tables.define_object(object, ObjectDef { kind, created, type_name });
            }
            None => return Err(A::Error::custom("an entry is neither an event nor a definition")),
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Site {
    site: SiteId,
    file: String,
    #[serde(default)]
    line: u32,
    #[serde(default)]
    column: u32,
}

#[derive(Deserialize)]
struct Text {
    string: StringId,
    text: String,
}

/// The member `type`, the text of `type_name`, is for people.
#[derive(Deserialize)]
struct Object {
    object: ObjectId,
    kind: ObjectKind,
    #[serde(default)]
    created: SiteId,
    #[serde(default)]
    type_name: StringId,
}

#[derive(Deserialize)]
struct Frame {
    frame: FrameId,
    #[serde(default)]
    caller: FrameId,
    #[serde(default)]
    module: StringId,
    address: u64,
}

/// A key, borrowed from the document where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key<'de>, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => Ok(Key(text)),
            _ => Err(D::Error::custom("a key is not a string")),
        }
    }
}

/// A value within an entry. Arrays and objects have no place there.
enum Scalar<'de> {
    Null,
    Bool(bool),
    Number(u64),
    Text(Cow<'de, str>),
    /// Something that no field can be.
    Other,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

impl<'de, E: Error> IntoDeserializer<'de, E> for Scalar<'de> {
    type Deserializer = ScalarDeserializer<'de, E>;

    fn into_deserializer(self) -> ScalarDeserializer<'de, E> {
        ScalarDeserializer(self, std::marker::PhantomData)
    }
}

struct ScalarDeserializer<'de, E>(Scalar<'de>, std::marker::PhantomData<E>);

impl<'de, E: Error> Deserializer<'de> for ScalarDeserializer<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.0 {
            Scalar::Null => visitor.visit_unit(),
            Scalar::Bool(value) => visitor.visit_bool(value),
            Scalar::Number(value) => visitor.visit_u64(value),
            Scalar::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Scalar::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Scalar::Other => Err(E::custom("a value is neither a string, a whole number, true, false nor null")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, E> {
        match self.0 {
            Scalar::Text(text) => visitor.visit_enum(text.into_deserializer()),
            _ => Err(E::custom("a name is not a string")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}
