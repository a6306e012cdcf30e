//! Values of the running callback: the few calls of Node-API that the hot path needs, each checked, none that allocates
//! a wrapper of its own.

use std::{marker::PhantomData, ptr};

use bytes::Bytes;
use napi::{
    bindgen_prelude::{Buffer, FromNapiValue, ToNapiValue},
    sys,
};

/// Up to here a copy is cheaper than an owner.
const COPIED: usize = 4096;

/// What went wrong between the engine and the package: a fault of one of the two, never of user code.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) String);

impl From<&str> for Fault {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl From<Fault> for napi::Error {
    fn from(Fault(what): Fault) -> Self {
        Self::from_reason(what)
    }
}

/// The environment of the callback that is running.
#[derive(Clone, Copy)]
pub(crate) struct Js<'a>(sys::napi_env, PhantomData<&'a ()>);

/// A value that lives as long as the callback.
#[derive(Clone, Copy)]
pub(crate) struct Val<'a>(sys::napi_value, PhantomData<&'a ()>);

/// What kind of value it is, as far as the engine tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Undefined,
    Null,
    Number,
    Text,
    Other,
}

/// A value that outlives its callback, on the thread that made it.
pub(crate) struct Kept(sys::napi_env, sys::napi_ref);

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: it was made in this environment, whose thread it never leaves.
        unsafe { sys::napi_delete_reference(self.0, self.1) };
    }
}

impl<'a> Js<'a> {
    pub(crate) fn of(env: &'a napi::Env) -> Self {
        Self(env.raw(), PhantomData)
    }

    fn made(self, make: impl FnOnce(sys::napi_env, *mut sys::napi_value) -> sys::napi_status) -> Val<'a> {
        self.out("no value", make).expect("the environment makes values")
    }

    /// A value, or what is wrong where there is none.
    fn out(
        self,
        what: &str,
        make: impl FnOnce(sys::napi_env, *mut sys::napi_value) -> sys::napi_status,
    ) -> Result<Val<'a>, Fault> {
        let mut value = ptr::null_mut();
        self.checked(make(self.0, &raw mut value), what).map(|()| Val(value, PhantomData))
    }

    fn get<T: Default>(
        self,
        what: &str,
        read: impl FnOnce(sys::napi_env, *mut T) -> sys::napi_status,
    ) -> Result<T, Fault> {
        let mut found = T::default();
        self.checked(read(self.0, &raw mut found), what).map(|()| found)
    }

    pub(crate) fn undefined(self) -> Val<'a> {
        // SAFETY: the environment is that of the running callback, and the place for the value is ours.
        self.made(|env, value| unsafe { sys::napi_get_undefined(env, value) })
    }

    pub(crate) fn null(self) -> Val<'a> {
        // SAFETY: as in `undefined`.
        self.made(|env, value| unsafe { sys::napi_get_null(env, value) })
    }

    pub(crate) fn bool(self, truth: bool) -> Val<'a> {
        // SAFETY: as in `undefined`.
        self.made(|env, value| unsafe { sys::napi_get_boolean(env, truth, value) })
    }

    pub(crate) fn number(self, number: f64) -> Val<'a> {
        // SAFETY: as in `undefined`.
        self.made(|env, value| unsafe { sys::napi_create_double(env, number, value) })
    }

    pub(crate) fn id(self, id: u32) -> Val<'a> {
        self.number(id.into())
    }

    /// An integer: a number where numbers are exact, else a bigint.
    pub(crate) fn integer(self, integer: i64) -> Val<'a> {
        const EXACT: i64 = (1 << 53) - 1;
        if (-EXACT..=EXACT).contains(&integer) {
            // SAFETY: as in `undefined`.
            self.made(|env, value| unsafe { sys::napi_create_int64(env, integer, value) })
        } else {
            // SAFETY: as in `undefined`.
            self.made(|env, value| unsafe { sys::napi_create_bigint_int64(env, integer, value) })
        }
    }

    pub(crate) fn text(self, text: &str) -> Result<Val<'a>, Fault> {
        self.utf8(text.as_bytes())
    }

    /// Text that is known to be UTF-8.
    pub(crate) fn utf8(self, text: &[u8]) -> Result<Val<'a>, Fault> {
        let (start, length) = (text.as_ptr().cast(), text.len().cast_signed());
        // SAFETY: as in `undefined`; the text is only read, and copied.
        self.out("a text is too long", |env, value| unsafe { sys::napi_create_string_utf8(env, start, length, value) })
    }

    /// Text of one letter for each byte.
    pub(crate) fn latin1(self, text: &[u8]) -> Result<Val<'a>, Fault> {
        let (start, length) = (text.as_ptr().cast(), text.len().cast_signed());
        // SAFETY: as in `utf8`.
        self.out("a text is too long", |env, value| unsafe {
            sys::napi_create_string_latin1(env, start, length, value)
        })
    }

    /// Bytes as a `Buffer`: of a short one a copy, a long one is lent until it is collected.
    pub(crate) fn buffer(self, bytes: Bytes) -> Result<Val<'a>, Fault> {
        if bytes.len() <= COPIED {
            let (start, none) = (bytes.as_ptr().cast(), ptr::null_mut());
            // SAFETY: as in `utf8`.
            return self.out("no memory for a buffer", |env, value| unsafe {
                sys::napi_create_buffer_copy(env, bytes.len(), start, none, value)
            });
        }
        let owned: Vec<u8> = bytes.into();
        // SAFETY: as in `undefined`.
        let made = unsafe { Buffer::to_napi_value(self.0, Buffer::from(owned)) };
        made.map(|value| Val(value, PhantomData)).map_err(|error| Fault(error.to_string()))
    }

    pub(crate) fn array(self, items: &[Val<'a>]) -> Result<Val<'a>, Fault> {
        // SAFETY: as in `undefined`.
        let array = self.made(|env, value| unsafe { sys::napi_create_array_with_length(env, items.len(), value) });
        for (index, item) in items.iter().enumerate() {
            // SAFETY: as in `undefined`; both values are of this callback.
            let status = unsafe { sys::napi_set_element(self.0, array.0, index as u32, item.0) };
            self.checked(status, "an array takes no item")?;
        }
        Ok(array)
    }

    /// A plain object. It is defined member by member: a member called `__proto__` is one like any other.
    pub(crate) fn object(self, members: &[(Val<'a>, Val<'a>)]) -> Result<Val<'a>, Fault> {
        // SAFETY: as in `undefined`.
        let object = self.made(|env, value| unsafe { sys::napi_create_object(env, value) });
        let attributes = sys::PropertyAttributes::writable
            | sys::PropertyAttributes::enumerable
            | sys::PropertyAttributes::configurable;
        let described = members.iter().map(|(name, value)| sys::napi_property_descriptor {
            utf8name: ptr::null(),
            name: name.0,
            method: None,
            getter: None,
            setter: None,
            value: value.0,
            attributes,
            data: ptr::null_mut(),
        });
        let described: Vec<_> = described.collect();
        // SAFETY: as in `undefined`; the descriptors are read during the call.
        let status = unsafe { sys::napi_define_properties(self.0, object.0, described.len(), described.as_ptr()) };
        self.checked(status, "an object takes no member")?;
        Ok(object)
    }

    /// Calls a function. `Err` is what it threw.
    pub(crate) fn call(self, function: Val<'a>, args: &[Val<'a>]) -> Result<Val<'a>, Val<'a>> {
        let this = self.undefined();
        let mut value = ptr::null_mut();
        // SAFETY: as in `undefined`; a `Val` is nothing but a `napi_value`.
        let status = unsafe {
            sys::napi_call_function(self.0, this.0, function.0, args.len(), args.as_ptr().cast(), &raw mut value)
        };
        if status == sys::Status::napi_ok {
            return Ok(Val(value, PhantomData));
        }
        // SAFETY: as in `undefined`.
        Err(self.made(|env, value| unsafe { sys::napi_get_and_clear_last_exception(env, value) }))
    }

    pub(crate) fn kind(self, value: Val<'a>) -> Kind {
        let mut kind = 0;
        // SAFETY: as in `undefined`.
        unsafe { sys::napi_typeof(self.0, value.0, &raw mut kind) };
        match kind {
            sys::ValueType::napi_undefined => Kind::Undefined,
            sys::ValueType::napi_null => Kind::Null,
            sys::ValueType::napi_number => Kind::Number,
            sys::ValueType::napi_string => Kind::Text,
            _ => Kind::Other,
        }
    }

    pub(crate) fn read_number(self, value: Val<'a>) -> Result<f64, Fault> {
        // SAFETY: as in `undefined`.
        self.get("expected a number", |env, number| unsafe { sys::napi_get_value_double(env, value.0, number) })
    }

    pub(crate) fn read_id(self, value: Val<'a>) -> Result<u32, Fault> {
        // SAFETY: as in `undefined`.
        self.get("expected an id", |env, id| unsafe { sys::napi_get_value_uint32(env, value.0, id) })
    }

    pub(crate) fn read_bool(self, value: Val<'a>) -> Result<bool, Fault> {
        // SAFETY: as in `undefined`.
        self.get("expected a boolean", |env, truth| unsafe { sys::napi_get_value_bool(env, value.0, truth) })
    }

    /// Text in UTF-8; a surrogate that stands alone is replaced.
    pub(crate) fn read_utf8(self, value: Val<'a>) -> Result<Vec<u8>, Fault> {
        // How many letters it has, the engine knows; how many bytes, it would have to count.
        // SAFETY: as in `undefined`; nothing is written but the length.
        let letters = self.get("expected a text", |env, length| unsafe {
            sys::napi_get_value_string_utf16(env, value.0, ptr::null_mut(), 0, length)
        })?;
        let mut text: Vec<u8> = Vec::with_capacity(3 * letters + 1);
        let (start, room) = (text.as_mut_ptr().cast(), text.capacity());
        // SAFETY: as in `undefined`; no more is written than there is room for.
        let length = self.get("expected a text", |env, length| unsafe {
            sys::napi_get_value_string_utf8(env, value.0, start, room, length)
        })?;
        // SAFETY: so many bytes were written.
        unsafe { text.set_len(length) };
        Ok(text)
    }

    /// The same, as a text.
    pub(crate) fn read_text(self, value: Val<'a>) -> Result<String, Fault> {
        String::from_utf8(self.read_utf8(value)?).map_err(|_| "expected a text".into())
    }

    /// The same, to be sent.
    pub(crate) fn read_sent(self, value: Val<'a>) -> Result<Bytes, Fault> {
        let text = self.read_utf8(value)?;
        // A long one keeps its room, which nothing has touched.
        Ok(if text.len() <= COPIED { Bytes::copy_from_slice(&text) } else { text.into() })
    }

    /// The bytes of a `Uint8Array`; a long one is lent, not copied.
    pub(crate) fn read_bytes(self, value: Val<'a>) -> Result<Bytes, Fault> {
        // SAFETY: as in `undefined`.
        let bytes = unsafe { Buffer::from_napi_value(self.0, value.0) };
        let bytes = bytes.map_err(|_| Fault("expected bytes".into()))?;
        Ok(if bytes.len() <= COPIED { Bytes::copy_from_slice(&bytes) } else { Bytes::from_owner(bytes) })
    }

    pub(crate) fn is_array(self, value: Val<'a>) -> bool {
        // SAFETY: as in `undefined`.
        self.get("", |env, is| unsafe { sys::napi_is_array(env, value.0, is) }).unwrap_or(false)
    }

    fn length(self, array: Val<'a>) -> Result<u32, Fault> {
        // SAFETY: as in `undefined`.
        self.get("expected an array", |env, length| unsafe { sys::napi_get_array_length(env, array.0, length) })
    }

    pub(crate) fn item(self, array: Val<'a>, index: u32) -> Result<Val<'a>, Fault> {
        // SAFETY: as in `undefined`.
        self.out("expected an array", |env, value| unsafe { sys::napi_get_element(env, array.0, index, value) })
    }

    pub(crate) fn items(self, array: Val<'a>) -> Result<Vec<Val<'a>>, Fault> {
        (0..self.length(array)?).map(|index| self.item(array, index)).collect()
    }

    pub(crate) fn member(self, object: Val<'a>, name: &str) -> Result<Val<'a>, Fault> {
        let name = self.text(name)?;
        // SAFETY: as in `undefined`.
        self.out("expected an object", |env, value| unsafe { sys::napi_get_property(env, object.0, name.0, value) })
    }

    /// Keeps an object or a function.
    pub(crate) fn keep(self, value: Val<'a>) -> Result<Kept, Fault> {
        let mut kept = ptr::null_mut();
        // SAFETY: as in `undefined`.
        let status = unsafe { sys::napi_create_reference(self.0, value.0, 1, &raw mut kept) };
        self.checked(status, "expected an object").map(|()| Kept(self.0, kept))
    }

    pub(crate) fn kept(self, kept: &Kept) -> Val<'a> {
        // SAFETY: as in `undefined`; the reference was made in this environment and is there.
        self.made(|env, value| unsafe { sys::napi_get_reference_value(env, kept.1, value) })
    }

    /// Runs a part of the callback whose values go when it is over.
    pub(crate) fn within(self, run: impl FnOnce(Js<'_>)) {
        let mut scope = ptr::null_mut();
        // SAFETY: as in `undefined`; what `run` makes cannot leave it, for its values live no longer.
        let opened = unsafe { sys::napi_open_handle_scope(self.0, &raw mut scope) };
        run(Js(self.0, PhantomData));
        if opened == sys::Status::napi_ok {
            // SAFETY: it was opened above, and what was opened within has been closed.
            unsafe { sys::napi_close_handle_scope(self.0, scope) };
        }
    }

    pub(crate) fn checked(self, status: sys::napi_status, what: &str) -> Result<(), Fault> {
        if status == sys::Status::napi_ok {
            return Ok(());
        }
        if status == sys::Status::napi_pending_exception {
            // SAFETY: as in `undefined`.
            self.made(|env, value| unsafe { sys::napi_get_and_clear_last_exception(env, value) });
        }
        Err(what.into())
    }
}

impl<'a> Val<'a> {
    pub(crate) fn of(unknown: napi::Unknown<'a>) -> Self {
        Self(napi::JsValue::raw(&unknown), PhantomData)
    }

    pub(crate) fn raw(self) -> sys::napi_value {
        self.0
    }

    /// For a method that answers it.
    pub(crate) fn unknown(self, env: &napi::Env) -> napi::Unknown<'static> {
        // SAFETY: both are of the running callback, whose answer it becomes at once.
        unsafe { napi::Unknown::from_raw_unchecked(env.raw(), self.0) }
    }
}

/// A `Val` is handed to Node-API as the `napi_value` that it is.
const _: () = assert!(size_of::<Val<'static>>() == size_of::<sys::napi_value>());
